"""Small templates by the thousand: every filter, test and method over every kind of value, and a seeded grammar."""

VARIABLES = {
    "s": "Hello World", "e": "", "u": "Grüße, ΣΑΣ ΟΔΟΣ 世界 😀 ǆ ß", "sp": "  two\n\n lines\t", "num": " 42 ",
    "fl": "3.25", "fmt": "%s-%d", "html": "<b>&\"x'</b>", "q": "it's \"q\"", "n": 3, "z": 0, "neg": -7, "big": 9007199254740993,
    "f": 2.5, "g": 1e-7, "h": 12345678901234567890.0 / 4, "t": True, "fa": False, "no": None,
    "l": [3, 1, 2], "ls": ["b", "a", "C", "B"], "mix": [1, "a", None, 2.5, True, [1], {"k": 1}], "el": [], "ed": {},
    "d": {"a": 1, "b": {"c": [1, 2, {"x": "y"}]}, "items": "shadow", "ü": "é"}, "ds": {"b": 2, "a": 10, "C": 1},
    "pairs": [["x", 1], ["y", 2]],
    "msgs": [
        {"role": "system", "content": "Be good."}, {"role": "user", "content": " hi\n"},
        {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"x": 1.0, "y": None}}}]},
        {"role": "tool", "content": "7"}, {"role": "user"},
    ],
}
NAMES = list(VARIABLES) + ["undef"]

FILTERS = [
    "abs", "attr('a')", "attr('upper')", "batch(2)|list", "batch(2, 'x')|list", "capitalize", "center(20)", "count", "d('x')",
    "default('x')", "default('x', true)", "default(default_value=1, boolean=true)", "dictsort", "dictsort(true)",
    "dictsort(false, 'value')", "dictsort(reverse=true)", "e", "escape", "first", "float", "float(1.5)", "forceescape",
    "format(1, 2)", "format('a', 3)", "groupby('role')", "groupby(0)", "indent", "indent(2, true)", "indent('> ', blank=true)",
    "int", "int(5)", "int(base=16)", "items|list", "items", "join", "join(', ')", "join('|', attribute='role')", "last",
    "length", "list", "lower", "map('upper')|list", "map(attribute='role')|list", "map(attribute='role', default='?')|join(',')",
    "map('string')|list", "map('length')|list", "map", "map|list", "map('nofilter')|list", "max", "min", "max(attribute='a')",
    "reject('string')|list", "reject|list", "rejectattr('content')|list", "replace('l', 'L')", "replace('', '-')",
    "replace('o', '0', 1)", "reverse", "reverse|list", "round", "round(1)", "round(0, 'ceil')", "round(1, 'floor')", "safe",
    "select|list", "select('number')|list", "select('in', [1, 'a'])|list", "selectattr('role')|list",
    "selectattr('role', 'equalto', 'user')|list", "selectattr('content', 'defined')|list|length", "selectattr|list",
    "slice(2)|list", "slice(2, 'x')|list", "sort", "sort(true)", "sort(reverse=true, case_sensitive=true)",
    "sort(attribute='role')", "sort(attribute='role,content')", "string", "sum", "sum(start=10)", "sum(attribute='n')", "title", "tojson",
    "tojson(indent=2)", "tojson(ensure_ascii=true)", "tojson(indent=4, sort_keys=true)", "tojson(separators=(',', ':'))",
    "tojson(true)", "tojson(indent='--')", "tojson(indent=0)", "trim", "trim('H d')", "truncate(9)", "truncate(5, true)",
    "truncate(9, false, '…', 0)", "unique|list", "unique(true)|list", "unique(attribute='role')|list", "upper", "wordcount",
    "nofilter", "tojson|safe", "trim|length", "list|length", "list|first", "safe ~ '<'", "safe + '<'",
]
TESTS = [
    "boolean", "callable", "defined", "divisibleby 3", "divisibleby(2)", "eq 3", "equalto 'a'", "escaped", "even", "false",
    "float", "ge 3", "greaterthan 1", "gt 2", "in [3, 'a', none]", "in 'Hello World'", "in d", "integer", "iterable", "le 3", "lessthan 3",
    "lower", "lt 3", "mapping", "ne 3", "none", "number", "odd", "sequence", "string", "true", "undefined", "upper",
    "sameas none", "sameas true", "filter", "test", "notest", "defined and true", "not none", "not defined", "== 3", "in",
]
METHODS = [
    "upper()", "lower()", "title()", "capitalize()", "swapcase()", "strip()", "lstrip()", "rstrip()", "strip('Hd')",
    "lstrip(' \\n')", "rstrip('x')", "strip(none)", "split()", "split(' ')", "split('o', 1)", "split(none, 1)", "rsplit(' ', 1)",
    "rsplit(maxsplit=1)", "split('')", "split('l')[-1]", "splitlines()", "splitlines(true)", "startswith('H')", "startswith(('x', 'H'))",
    "endswith('d')", "endswith('o', 0, 5)", "startswith(1)", "replace('o', '0')", "replace('l', 'LL', 1)", "replace('', '.')", "find('o')",
    "rfind('o')", "find('zz')", "index('o')", "index('zz')", "count('l')", "count('')", "find('o', 5)", "join(['a', 'b'])",
    "join(l)", "join('xyz')", "partition('o')", "rpartition('o')", "partition('zz')", "isdigit()", "isalpha()", "isalnum()", "isspace()",
    "isupper()", "islower()", "istitle()", "isnumeric()", "isdecimal()", "isascii()", "isprintable()", "zfill(20)", "center(15, '*')",
    "ljust(15)", "rjust(15, '.')", "removeprefix('Hel')", "removesuffix('ld')", "expandtabs(4)", "format(1)", "nomethod()",
    "upper", "encode()", "items()", "keys()", "values()|list", "get('a')", "get('zz')", "get('zz', 'dd')", "items()|list", "keys()|list",
    "copy()", "pop('a')", "append(1)", "update({})", "index(1)", "count(1)", "index('a')", "get([])", "clear", "__class__",
    "_private", "items", "a", "b.c[2].x", "b['c'][-1]", "role", "real", "hex()",
]
SLICES = ["[0]", "[-1]", "[1:]", "[:2]", "[::-1]", "[::2]", "[-2:]", "[5:1:-2]", "[:-1]", "[100:]", "[none:2]", "['a']", "['x':]", "[0:3:0]", "[1.0]", "[true]", "['upper']", "[(0, 1)]", "[undef]", ".0"]
BINARY = ["+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", ">", "<=", ">=", "in", "not in", "and", "or"]
FORMATS = [
    "'%d%%' % n", "'%5.2f|' % f", "'%-8s|' % s", "'%08.3f' % neg", "'%x %X %o' % (255, 255, 8)", "'%#x' % 255", "'%+d % d' % (1, 2)",
    "'%s' % undef", "'abc' % l", "'abc' % d", "'abc' % n", "'%(a)s %(b)s' % d", "'%(zz)s' % d", "'%r %s' % (s, none)", "'%c%c' % (65, 'x')",
    "'%s %s' % s", "'%' % s", "'%e %g %G' % (f, g, h)", "'%*d' % (6, n)", "'%.3s|' % s", "'%5s|%-5s|' % ('ab', 'cd')", "'%d' % 's'", "'%d' % 2.9",
    "'{} {}'.format(1, s)", "'{0}{1}{0}'.format('a', 'b')", "'{x}'.format(x=3)", "'{:>8}|{:<8}|{:^8}|'.format('a', 'b', 'c')", "'{:08.3f}'.format(f)",
    "'{:,}'.format(1234567)", "'{:x} {:b} {:o}'.format(255, 5, 8)", "'{!r}'.format(s)", "'{{}}'.format()", "'{}'.format()", "'{0.x}'.format(d)",
    "'{a[b]}'.format(a={'b': 2})", "'{:.2%}'.format(0.256)", "'{:+d}'.format(5)", "'{:*^9}'.format('mid')", "'{:5}|'.format(3)", "'{:e}'.format(f)",
    "'{'.format()", "'}'.format()", "'{} {0}'.format(1)", "'{:d}'.format('x')", "'{:s}'.format('x')", "'{:_}'.format(1234567)", "'{:.3}'.format('abcdef')",
]
LITERALS = [
    "1_000", "0x1F", "0b101", "0o17", "1.5e3", "1e-5", "1.0", "100000000000000000.0", "1e16", "123456789.123456789", "0.1 + 0.2", "1e22", "1/3", "2**0.5",
    "-0.0", "'a' 'b'", "'\\n\\t\\\\\\'\\x41\\u00e9\\U0001F600\\101\\q'", "\"dq\"", "'ü' ~ \"\\u20ac\"", "[]", "[1,]", "(1,)", "()", "(1, 2)", "{}", "{'a': 1,}",
    "{1: 'x', true: 'y', 1.0: 'z'}", "[1, 'a', none, true, 1.5, 'it\\'s', \"q\\\"\"]", "{'a': [1, {'b': (2,)}]}", "true", "True", "none", "None", "false",
    "'\\'\"'", "'\\r\\x00\\x7f\\xa0\\u200b'|list", "1 if true", "1 if false", "1 if false else 2", "(1 if undef else 2) + 1", "not 1", "- 3", "+true", "-true", "-s",
    "2 ** 3 ** 2", "-2 ** 2", "7 // 2", "-7 // 2", "7 % -3", "-7 % 3", "7.5 // 2", "-7.5 % 2", "1 // 0", "1 / 0", "1 % 0", "0 ** -1", "2 ** -1", "10 // 3.0",
    "1 < 2 < 3", "1 < 3 < 2", "3 > 2 == 2", "1 == 1.0 == true", "'a' < 'b' <= 'b'", "[1, 2] < [1, 3]", "(1, 2) >= (1,)", "[1] + [2]", "(1,) + (2,)", "[1] + (2,)",
    "'ab' * 3", "[0] * 2", "3 * 'x'", "'a' + 1", "1 + none", "{} + {}", "[] == ()", "{'a': 1} == {'a': 1.0}", "[1, [2]] == [1, [2.0]]", "none == false", "0 == false",
    "'1' == 1", "1 in [1.0]", "'a' in {'a': 1}", "[] in {}", "1 in 1", "1 in 'a'", "2 in range(3)", "range(5)|list", "range(1, 10, 3)|list", "range(5, 0, -2)|list",
    "range(3)", "range(0)|list", "range(1, 2, 0)", "range('a')", "range(200000)|length", "range(10)[2:5]|list", "range(10)[-1]", "dict(a=1, b=2)", "dict([('x', 1)], y=2)",
    "dict({'a': 1})", "dict(1)", "namespace(a=1).a", "namespace(a=1).b", "namespace({'x': 2}, y=3).x", "namespace(_a=1)", "namespace(a=1)", "joiner('|')()", "cycler('a', 'b').next()",
    "raise_exception('no ' ~ s)", "raise_exception(3)", "raise_exception()", "strftime_now('%Y-%m-%d %H:%M:%S')", "strftime_now('%d %b %Y, %A %B %j %-d %e %I %p %y %U %w %%')",
    "strftime_now(1)", "undef", "undef.x", "undef['x']", "undef()", "undef + 1", "1 + undef", "undef ~ 'x'", "undef == undef2", "undef in [1]", "1 in undef", "undef < 1", "1 < undef", "-undef",
    "d.zz", "d.zz.y", "d['zz']", "d.zz is defined", "d.a.b", "no.x", "no['x']", "l[10]", "l.x", "s.x", "d.items()", "d.items", "d['items']", "d.b.c[2]['x']", "d['ü']", "d.b['c'].0",
    "lipsum is callable", "range is callable", "loop", "caller", "self is defined", "varargs", "s.upper", "s.upper()", "foo.bar.baz", "(s)", "((n))", "s is defined is string",
    "l is sameas l", "e or 'x'", "e and 'x'", "n and s", "z or no", "not e", "not undef", "n in l and s", "none is none", "n is defined and n > 2", "n is not none and not fa",
    "{{1: 2}}", "{'a': 1}}", "[1, 2", "(1, 2", "1 +", "+", "a b", "1 2", "s.", "s|", "s is", "|upper", "", "a=1", "1 =", "!", "$", "@", "'abc", "\"abc", "1.", ".5", "s[", "s[]", "s[1,2]", "f(a=1, 2)",
    "dict(**{'a': 1})", "dict(*[[('a', 1)]])", "dict(**1)", "dict(*1)", "dict(a=1, **{'a': 2})", "dict(a=1, a=2)", "msgs[0].role", "msgs[-1].content", "msgs[-1]['content'] is defined", "msgs|length",
    "msgs[2].tool_calls[0].function.arguments|tojson", "msgs[2].tool_calls[0].function.name", "msgs|map(attribute='content')|join('|')", "msgs[1:]|map(attribute='role')|list", "msgs|tojson",
    "(msgs|selectattr('role', 'in', ['user', 'tool'])|list)[-1].role", "msgs|rejectattr('role', 'eq', 'user')|map(attribute='role')|list", "msgs|first", "(msgs|last).role", "msgs|groupby('role')|map('first')|list",
]
STATEMENTS = [
    "{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.length }} {% endfor %}",
    "{% for x in l %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }};{% endfor %}",
    "{% for x in l if x > 1 %}{{ loop.index }}:{{ x }}/{{ loop.length }},{% else %}none{% endfor %}",
    "{% for x in el %}a{% else %}b{% endfor %}", "{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in l %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% else %}E{% endfor %}", "{% for x in l %}{% break %}{% else %}E{% endfor %}",
    "{% for x in l %}{% continue %}{% else %}E{% endfor %}", "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k, v in pairs %}{{ k }}{{ v }}{% endfor %}",
    "{% for a, b in l %}{% endfor %}", "{% for (a, (b, c)) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}", "{% for k in d %}{{ k }}{% endfor %}", "{% for c in s %}{{ c }}.{% endfor %}",
    "{% for x in n %}{% endfor %}", "{% for x in undef %}a{% else %}b{% endfor %}", "{% for x in no %}{% endfor %}", "{% for x in 1, 2 %}{{ x }}{% endfor %}",
    "{% for x in l %}{% for y in ls %}{{ loop.index }}{% if loop.last %}{% break %}{% endif %}{% endfor %}{{ loop.index }}|{% endfor %}",
    "{% for x in l %}{{ loop.cycle('a', 'b') }}{% endfor %}", "{% for x in ls|sort %}{{ loop.changed(x|lower) }}{% endfor %}", "{% for x in l %}{{ loop }}{% endfor %}",
    "{% for x in l|map('string') %}{{ loop.length }}{{ loop.last }}{{ x }}{% endfor %}", "{% for x in l|select('odd') %}{{ x }}{{ loop.nextitem }}{% endfor %}",
    "{% for x in [[1, [2, 3]], [4]] recursive %}{% if x is iterable %}[{{ loop(x) }}]{{ loop.depth }}{% else %}{{ x }}{{ loop.depth0 }}{% endif %}{% endfor %}",
    "{% for x in l %}{{ loop(x) }}{% endfor %}", "{% for loop in l %}{% endfor %}", "{% for x in l %}{% set loop = 1 %}{% endfor %}", "{% set loop = 1 %}{{ loop }}",
    "{% set x = 1 %}{% for i in l %}{% set x = x + i %}{{ x }},{% endfor %}{{ x }}", "{% set ns = namespace(x=1) %}{% for i in l %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}",
    "{% for i in l %}{% if loop.first %}{% set y = i %}{% endif %}{{ y }},{% endfor %}{{ y }}", "{% if t %}{% set x = 1 %}{% endif %}{{ x }}", "{% if fa %}{% set s = 1 %}{% endif %}{{ s }}",
    "{{ s }}{% set s = 2 %}{{ s }}", "{% for i in l %}{{ s }}{% set s = i %}{{ s }}{% endfor %}", "{% for i in l %}{% set s = i %}{% endfor %}{{ s }}", "{% set a, b = 1, 2 %}{{ a }}{{ b }}",
    "{% set a = 1, 2 %}{{ a }}", "{% set (a, b) = (1, 2) %}{{ b }}", "{% set a, b = 1 %}", "{% set a, b = [1] %}", "{% set a, b = 'xyz' %}", "{% set d.x = 1 %}", "{% set undef.x = 1 %}", "{% set ns = namespace() %}{% set ns.a, ns.b = 1, 2 %}{{ ns.a }}{{ ns.b }}",
    "{% set ns = namespace() %}{% set ns._x = 1 %}", "{% set 1 = 2 %}", "{% set true = 2 %}", "{% set x %}a{{ n }}b{% endset %}{{ x }}{{ x|length }}", "{% set x | upper | trim %}  a {{ s }} {% endset %}[{{ x }}]",
    "{% set ns = namespace() %}{% set ns.x %}blk{% endset %}{{ ns.x }}", "{% for i in l %}{% set x %}{{ i }}{% if i == 1 %}{% break %}{% endif %}{% endset %}{{ x }}{% endfor %}",
    "{% if n %}a{% elif z %}b{% else %}c{% endif %}", "{% if z %}a{% elif n %}b{% else %}c{% endif %}", "{% if z %}a{% elif z %}b{% else %}c{% endif %}", "{% if undef %}a{% endif %}x", "{% if a if b else c %}{% endif %}",
    "{% if fa %}{{ 1|nofilter }}{% endif %}ok", "{% if t %}{{ 1|nofilter }}{% endif %}", "{% if fa %}{{ 1 is notest }}{% endif %}ok", "{{ (1|nofilter) if fa else 2 }}",
    "{% macro m(a, b=2, c='x') %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ m(1) }}|{{ m(1, c=3) }}|{{ m(b=1, a=2) }}", "{% macro m(a) %}[{{ a }}]{% endmacro %}{{ m() }}{{ m }}", "{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}",
    "{% macro m(a) %}{% endmacro %}{{ m(b=1) }}", "{% macro m(a, a) %}{% endmacro %}", "{% macro m(a=1, b) %}{% endmacro %}", "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, x=3) }}",
    "{% macro m(n) %}{% if n > 0 %}{{ n }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(3) }}", "{% macro m() %}{{ x }}{% endmacro %}{% set x = 1 %}{{ m() }}{% set x = 2 %}{{ m() }}", "{% macro m() %}{% set x = 5 %}{{ x }}{% endmacro %}{% set x = 1 %}{{ m() }}{{ x }}",
    "{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}", "{% macro m(a=b, b=1) %}{{ a }}{{ b }}{% endmacro %}{{ m() }}", "{% macro m() %}<{{ caller() }}>{% endmacro %}{% call m() %}in{{ n }}{% endcall %}",
    "{% macro m() %}{{ caller(1, 2) }}{% endmacro %}{% call(a, b=3) m() %}{{ a }}{{ b }}{% endcall %}", "{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}", "{% macro m() %}x{% endmacro %}{% call m() %}{% endcall %}", "{% call s %}{% endcall %}",
    "{% macro m(caller=none) %}{{ caller() if caller else 'no' }}{% endmacro %}{{ m() }}{% call m() %}yes{% endcall %}", "{% macro m(caller) %}{{ caller() }}{% endmacro %}", "{% macro m() %}{% set kwargs = 1 %}{{ kwargs }}{% endmacro %}{{ m() }}",
    "{% for i in l %}{% macro m() %}{{ i }}{% endmacro %}{{ m() }}{% endfor %}", "{% macro a() %}A{{ b() }}{% endmacro %}{% macro b() %}B{% endmacro %}{{ a() }}", "{% macro m() %}{% for i in l %}{{ i }}{% endfor %}{% endmacro %}{{ m()|length }}{{ m() ~ 'x' }}",
    "{% macro m(x) %}{{ x.name }}{{ m.name }}{{ m.arguments }}{% endmacro %}{{ m({'name': 1}) }}", "{% macro m() %}a{% break %}{% endmacro %}", "{% break %}", "{% for x in l %}{% macro m() %}{% continue %}{% endmacro %}{% endfor %}",
    "{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a }}", "{% with %}{% set q = 1 %}{{ q }}{% endwith %}{{ q }}", "{% set a = 5 %}{% with a = 1, b = a %}{{ a }}{{ b }}{% endwith %}{{ a }}", "{% filter upper %}a{{ s }}{% endfilter %}", "{% filter replace('l', 'L')|trim %} {{ s }} {% endfilter %}|",
    "{% print 1, 2 %}", "{% print s %}", "{% generation %}gen{{ n }}{% endgeneration %}x", "{% generation %}{% set x = 1 %}{% endgeneration %}{{ x }}", "{% for i in l %}{%- generation -%} {{ i }} {%- endgeneration -%}{% endfor %}", "{% for i in l %}{% generation %}{% break %}{% endgeneration %}{% endfor %}",
    "{% raw %}{{ x }}{% y %}{% endraw %}", "a {%- raw -%} {{ x }} {%- endraw -%} b", "  {% raw %}\n  x\n  {% endraw %}\nb", "{% raw %}", "{# c #}x{# {{ y }} #}", "a\n  {# c #}\nb", "a {#- c -#} b", "{#", "{# a {% b %} #}\n\nx",
    "  {% if t %}\n  a\n  {% endif %}\n  b", "  {%- if t %}\n  a\n  {%- endif %}\n  b", "  {%+ if t %}\n  a\n  {%+ endif +%}\n  b", "a  {% if t -%}  b  {%- endif %}  c", "x {{- s -}} y", "x {{ s }} y\n", "x\n\n", "\n\nx", "x {{ s }}\n\n", "{{ s }}\n", "{% if t %}\n\n\nx{% endif %}\n\n\n",
    "a\r\nb\rc\n", "{{ 'a\r\nb' }}", "{% set x = 'a\nb' %}{{ x|length }}", "\t {% set x = 1 %} \ty", "  {{ 1 }}", "a{% set x = 1 %}\n b", "a {% set x = 1 %}\n b", "{%- set x = 1 -%}\n\n  y", "{{ 1 -}}\n\n  y", "  \u00a0{%- set x = 1 %}", " \u3000{% set x = 1 %}y",
    "{%set x=1%}{{x}}", "{{-1}}", "{{+1}}", "{{ -1 }}", "{{1-1}}", "{%-if t-%}a{%-endif-%}", "{% if t: %}a{% endif %}", "{% endif %}", "{% if t %}", "{% for %}", "{% foo %}", "{% %}", "{%", "{{", "{{ }}", "}}", "%}", "{% if t %}a{% endfor %}", "{% for x in l %}{% endif %}", "{% else %}",
    "{% set %}", "{% set x %}", "{% do l.append(1) %}", "{% macro %}{% endmacro %}", "{% macro m %}{% endmacro %}", "{{ m() }}{% macro m() %}x{% endmacro %}", "{{ s }}{{ undef.x }}", "{% if undef.x %}{% endif %}", "{{ {'a':{'b':1}}.a.b }}", "{{ {'a':1} }}", "{{{'a':1}}}", "{{ [1,2]}}", "{{ '}}' }}", "{{ \"%}\" }}", "{% set x = '%}' %}{{ x }}",
    "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.next() }}{{ c.reset() }}{{ c.next() }}", "{% set j = joiner() %}{{ j() }}{{ j() }}{{ j('x') }}", "{% set it = l|map('string') %}{{ it|first }}{{ it|first }}{{ it|list }}{{ it|list }}", "{% if el|map('upper') %}yes{% endif %}",
    "{{ (l|map('string')) is iterable }}{{ (l|map('string')) is sequence }}", "{{ l|map('string')|length }}", "{{ l|select('odd')|first }}{{ l|select('gt', 5)|first }}", "{{ [1, 'a']|map('abs')|first }}", "{{ [1, 'a']|map('abs')|list }}", "{% for m in msgs %}{{ m.role }}{% if m.content %}:{{ m['content']|trim }}{% endif %}{% if m.tool_calls is defined %}{% for c in m.tool_calls %}{{ c.function|tojson }}{% endfor %}{% endif %};{% endfor %}",
    "{% set ns = namespace(found=false, items=[]) %}{% for m in msgs %}{% if m.role == 'user' and not ns.found %}{% set ns.found = true %}{% set ns.items = ns.items + [loop.index0] %}{% endif %}{% endfor %}{{ ns.found }}{{ ns.items }}{{ ns }}",
    "{% for m in msgs[::-1] %}{% set index = (msgs|length - 1) - loop.index0 %}{{ index }}{{ m.role }},{% endfor %}", "{{ 'a' if msgs[0]['role'] == 'system' else 'b' }}{% set loop_messages = msgs[1:] %}{{ loop_messages|length }}", "{% for k, v in ds|dictsort %}{{ k }}{{ v }}{% endfor %}", "{% for k, v in ds|items %}{{ loop.index }}{{ k }}{% endfor %}",
    "{% set x = [] %}{% set y = x.append(1) %}", "{{ l.append }}", "{{ l.append is defined }}", "{{ ''.__class__ }}", "{{ ''.__class__.__mro__ }}", "{{ l|attr('__class__') }}", "{% set x = {'b': 1} %}{% set x = dict(x, c=2) %}{{ x }}", "{{ dict(d, **{'k': 1})|length }}", "{% block a %}x{% endblock %}", "{% include 'x' %}", "{{ super() }}",
]


class Grammar:
    """Random templates that mostly parse."""

    def __init__(self, rng):
        self.rng = rng

    def pick(self, items):
        return items[self.rng.randrange(len(items))]

    def atom(self):
        choice = self.rng.random()
        if choice < 0.55:
            return self.pick(NAMES)
        if choice < 0.75:
            return self.pick(["1", "0", "-2", "2.5", "'a'", "''", "'Ab c'", "true", "false", "none", "[]", "{}", "'é'", "10"])
        if choice < 0.85:
            return "[" + ", ".join(self.atom() for _ in range(self.rng.randrange(4))) + "]"
        if choice < 0.92:
            return "{" + ", ".join(f"'{self.pick('abc')}': {self.atom()}" for _ in range(self.rng.randrange(3))) + "}"
        return "(" + self.atom() + ", " + self.atom() + ")"

    def expression(self, depth):
        if depth == 0:
            return self.atom()
        sub = lambda: self.expression(depth - 1)  # noqa: E731
        choice = self.rng.random()
        if choice < 0.22:
            return f"{sub()} {self.pick(BINARY)} {sub()}"
        if choice < 0.42:
            return f"{sub()}|{self.pick(FILTERS)}"
        if choice < 0.52:
            return f"{sub()} is {self.pick(TESTS)}"
        if choice < 0.62:
            return f"{self.atom()}.{self.pick(METHODS)}"
        if choice < 0.72:
            # What is constant is sliced by the compiler, by other rules.
            return f"({self.pick(NAMES)}){self.pick(SLICES)}"
        if choice < 0.78:
            return f"not {sub()}"
        if choice < 0.86:
            return f"({sub()} if {sub()} else {sub()})"
        if choice < 0.92:
            return f"{sub()} ~ {sub()}"
        return f"({sub()})"

    def open(self):
        return "{%" + self.pick(["", "", "", "-", "+"]) + " "

    def close(self):
        return " " + self.pick(["", "", "", "-", "+"]) + "%}"

    def tag(self, text):
        return self.open() + text + self.close()

    def text(self):
        return self.pick(["", "x", " ", "\n", "  \n", "\n  ", " y ", "z\n\n", "é", "\t", "{", "}", "% }", "\n\n "])

    def body(self, depth, in_loop=False):
        return "".join(self.text() + self.statement(depth, in_loop) for _ in range(self.rng.randrange(1, 4))) + self.text()

    def statement(self, depth, in_loop=False):
        choice = self.rng.random()
        if depth == 0 or choice < 0.3:
            return "{{" + self.pick(["", "-"]) + " " + self.expression(self.rng.randrange(2)) + " " + self.pick(["", "-"]) + "}}"
        name = self.pick(["a", "b", "s", "n", "x"])
        if choice < 0.45:
            result = self.tag(f"if {self.expression(1)}") + self.body(depth - 1, in_loop)
            if self.rng.random() < 0.3:
                result += self.tag(f"elif {self.expression(1)}") + self.body(depth - 1, in_loop)
            if self.rng.random() < 0.4:
                result += self.tag("else") + self.body(depth - 1, in_loop)
            return result + self.tag("endif")
        if choice < 0.62:
            test = f" if {self.pick(['i', 'loop', name])} {self.pick(['', '!= 1', 'is defined', '> 1'])}" if self.rng.random() < 0.2 else ""
            result = self.tag(f"for {self.pick(['i', name])} in {self.pick(['l', 'ls', 's', 'msgs', 'd', 'range(3)', 'el', self.expression(1)])}{test}")
            result += self.body(depth - 1, True)
            if self.rng.random() < 0.2:
                result += self.tag("else") + self.body(depth - 1, in_loop)
            return result + self.tag("endfor")
        if choice < 0.78:
            return self.tag(f"set {name} = {self.expression(1)}")
        if choice < 0.84:
            return self.tag(f"set {name}") + self.body(depth - 1, in_loop) + self.tag("endset")
        if choice < 0.9:
            return self.tag(f"macro m({name}, y={self.atom()})") + self.body(depth - 1) + self.tag("endmacro") + "{{ m(" + self.atom() + ") }}"
        if choice < 0.93:
            return self.tag(f"with {name} = {self.expression(1)}") + self.body(depth - 1, in_loop) + self.tag("endwith")
        if choice < 0.96:
            return "{#" + self.pick(["", "-"]) + self.text() + self.pick(["", "-"]) + "#}"
        return self.tag(self.pick(["break", "continue"])) if in_loop else "{{ loop.index }}"


def all_sources(rng):
    grammar = Grammar(rng)
    for name in NAMES:
        for filter in FILTERS:
            yield "{{ " + name + "|" + filter + " }}"
        for test in TESTS:
            yield "{{ " + name + " is " + test + " }}"
        for part in SLICES:
            yield "{{ " + name + part + " }}"
        yield "{{ " + name + " }}{{ [" + name + "] }}"
        yield "{{ '%s' % " + name + " }}{{ '%r' % (" + name + ",) }}"
    for name in ["s", "e", "u", "sp", "num", "q", "l", "d", "n", "no", "undef", "f", "msgs"]:
        for method in METHODS:
            yield "{{ " + name + "." + method + " }}"
    for _ in range(900):
        yield "{{ " + grammar.pick(NAMES) + " " + grammar.pick(BINARY) + " " + grammar.pick(NAMES) + " }}"
    for source in FORMATS + LITERALS:
        yield "{{ " + source + " }}"
    yield from STATEMENTS
    for _ in range(1800):
        yield "{{ " + grammar.expression(rng.randrange(1, 4)) + " }}"
    for _ in range(2000):
        yield grammar.body(rng.randrange(1, 4))
