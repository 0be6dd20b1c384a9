/// The public attributes that Python's types have: a template finds them before items of the same name.
enum PythonAttributes {
    static let methods: [String: Set<String>] = [
        "str": text,
        "Markup": text.union(["escape", "striptags", "unescape"]),
        "list": [
            "append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse", "sort",
        ],
        "tuple": ["count", "index"],
        "dict": [
            "clear", "copy", "fromkeys", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values",
        ],
        "int": numbers.union(["bit_count", "bit_length"]),
        "bool": numbers.union(["bit_count", "bit_length"]),
        "float": numbers.union(["fromhex", "hex", "is_integer"]),
        "range": ["count", "index"],
        "dict_keys": ["isdisjoint"],
        "dict_items": ["isdisjoint"],
        "generator": ["close", "send", "throw"],
    ]

    /// Methods that change their value, which the sandbox hides.
    static let changing: [String: Set<String>] = [
        "list": ["append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"],
        "dict": ["clear", "pop", "popitem", "setdefault", "update"],
    ]

    /// Names with underscores that every value has, which the sandbox hides.
    static let hidden: Set<String> = [
        "__class__", "__delattr__", "__dict__", "__dir__", "__doc__", "__eq__", "__format__", "__ge__",
        "__getattribute__", "__gt__", "__hash__", "__init__", "__init_subclass__", "__le__", "__lt__", "__ne__",
        "__new__", "__reduce__", "__reduce_ex__", "__repr__", "__setattr__", "__sizeof__", "__str__",
        "__subclasshook__",
    ]

    private static let numbers: Set<String> = [
        "as_integer_ratio", "conjugate", "from_bytes", "to_bytes",
    ]

    private static let text: Set<String> = [
        "capitalize", "casefold", "center", "count", "encode", "endswith", "expandtabs", "find", "format",
        "format_map", "index", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier", "islower",
        "isnumeric", "isprintable", "isspace", "istitle", "isupper", "join", "ljust", "lower", "lstrip", "maketrans",
        "partition", "removeprefix", "removesuffix", "replace", "rfind", "rindex", "rjust", "rpartition", "rsplit",
        "rstrip", "split", "splitlines", "startswith", "strip", "swapcase", "title", "translate", "upper", "zfill",
    ]
}
