"""Chat templates in the shape of the families', and conversations for them. The templates are our own: each uses the
features of Jinja that its family's uses, with markers of the same kind."""

LLAMA2 = """{% if messages[0]['role'] == 'system' %}{% set rest = messages[1:] %}{% set system = messages[0]['content'] %}{% else %}{% set rest = messages %}{% set system = false %}{% endif %}{% for message in rest %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must go user/assistant/user/assistant/...') }}{% endif %}{% if loop.index0 == 0 and system != false %}{% set text = '<<SYS>>\\n' + system + '\\n<</SYS>>\\n\\n' + message['content'] %}{% else %}{% set text = message['content'] %}{% endif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + text.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' ' + text.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"""

LLAMA3 = """{% set ns = namespace(out='') %}{% for message in messages %}{% set piece = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set piece = bos_token + piece %}{% endif %}{{ piece }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"""

LLAMA31 = """{{- bos_token }}
{%- if custom_tools is defined %}
    {%- set tools = custom_tools %}
{%- endif %}
{%- if not tools_in_user_message is defined %}
    {%- set tools_in_user_message = true %}
{%- endif %}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}

{#- The system message comes first, whoever wrote it. #}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}

{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if builtin_tools is defined or tools is not none %}
    {{- "Environment: ipython\\n" }}
{%- endif %}
{%- if builtin_tools is defined %}
    {{- "Tools: " + builtin_tools | reject('equalto', 'code_interpreter') | join(", ") + "\\n\\n" }}
{%- endif %}
{{- "Today: " + date_string + "\\n\\n" }}
{%- if tools is not none and not tools_in_user_message %}
    {{- "You can call these functions:\\n\\n" }}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
{%- endif %}
{{- system_message }}
{{- "<|eot_id|>" }}

{%- if tools_in_user_message and not tools is none %}
    {%- if messages | length != 0 %}
        {%- set first_user_message = messages[0]['content']|trim %}
        {%- set messages = messages[1:] %}
    {%- else %}
        {{- raise_exception("Cannot put tools in the first user message when there's no first user message!") }}
    {%- endif %}
    {{- '<|start_header_id|>user<|end_header_id|>\\n\\n' -}}
    {{- "Answer with a function call if one helps.\\n\\n" }}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
    {{- first_user_message + "<|eot_id|>"}}
{%- endif %}

{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("This model only supports single tool-calls at once!") }}
        {%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {%- if builtin_tools is defined and tool_call.name in builtin_tools %}
            {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}
            {{- "<|python_tag|>" + tool_call.name + ".call(" }}
            {%- for arg_name, arg_val in tool_call.arguments | items %}
                {{- arg_name + '="' + arg_val + '"' }}
                {%- if not loop.last %}
                    {{- ", " }}
                {%- endif %}
            {%- endfor %}
            {{- ")" }}
        {%- else  %}
            {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}
            {{- '{"name": "' + tool_call.name + '", ' }}
            {{- '"parameters": ' }}
            {{- tool_call.arguments | tojson }}
            {{- "}" }}
        {%- endif %}
        {{- "<|eot_id|>" }}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {{- "<|start_header_id|>ipython<|end_header_id|>\\n\\n" }}
        {%- if message.content is mapping or message.content is iterable %}
            {{- message.content | tojson }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
        {{- "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""

MISTRAL = """{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token}}{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"""

MISTRAL3 = """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}

{#- User and assistant alternate, tool results aside. #}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or message.role == "tool_results" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("After the optional system message, conversation roles must alternate user/assistant/user/assistant/...") }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}

{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if tools is not none and (message == user_messages[-1]) %}
            {{- "[AVAILABLE_TOOLS] [" }}
            {%- for tool in tools %}
                {%- set tool = tool.function %}
                {{- '{"type": "function", "function": {' }}
                {%- for key, val in tool.items() if key != "return" %}
                    {%- if val is string %}
                        {{- '"' + key + '": "' + val + '"' }}
                    {%- else %}
                        {{- '"' + key + '": ' + val|tojson }}
                    {%- endif %}
                    {%- if not loop.last %}
                        {{- ", " }}
                    {%- endif %}
                {%- endfor %}
                {{- "}}" }}
                {%- if not loop.last %}
                    {{- ", " }}
                {%- else %}
                    {{- "]" }}
                {%- endif %}
            {%- endfor %}
            {{- "[/AVAILABLE_TOOLS]" }}
            {%- endif %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message.tool_calls is defined and message.tool_calls is not none %}
        {{- "[TOOL_CALLS] [" }}
        {%- for tool_call in message.tool_calls %}
            {%- set out = tool_call.function|tojson %}
            {{- out[:-1] }}
            {%- if not tool_call.id is defined or tool_call.id|length != 9 %}
                {{- raise_exception("Tool call IDs should be alphanumeric strings with length 9!") }}
            {%- endif %}
            {{- ', "id": "' + tool_call.id + '"}' }}
            {%- if not loop.last %}
                {{- ", " }}
            {%- else %}
                {{- "]" + eos_token }}
            {%- endif %}
        {%- endfor %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token}}
    {%- elif message["role"] == "tool_results" or message["role"] == "tool" %}
        {%- if message.content is defined and message.content.content is defined %}
            {%- set content = message.content.content %}
        {%- else %}
            {%- set content = message.content %}
        {%- endif %}
        {{- '[TOOL_RESULTS] {"content": ' + content|string + ", " }}
        {%- if not message.tool_call_id is defined or message.tool_call_id|length != 9 %}
            {{- raise_exception("Tool call IDs should be alphanumeric strings with length 9!") }}
        {%- endif %}
        {{- '"call_id": "' + message.tool_call_id + '"}[/TOOL_RESULTS]' }}
    {%- else %}
        {{- raise_exception("Only user and assistant roles are supported, with the exception of an initial optional system message!") }}
    {%- endif %}
{%- endfor %}
"""

CHATML = """{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nYou help.<|im_end|>\\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""

QWEN25 = """{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0]['role'] == 'system' %}
        {{- messages[0]['content'] }}
    {%- else %}
        {{- 'You are a weaver\\'s helper.' }}
    {%- endif %}
    {{- "\\n\\n# Tools\\n\\nSignatures in <tools></tools>:\\n<tools>" }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\\n</tools>\\n\\nAnswer in <tool_call></tool_call>:\\n{\\"name\\": <name>, \\"arguments\\": <object>}<|im_end|>\\n" }}
{%- else %}
    {%- if messages[0]['role'] == 'system' %}
        {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>system\\nYou are a weaver\\'s helper.<|im_end|>\\n' }}
    {%- endif %}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {{- '<|im_start|>' + message.role }}
        {%- if message.content %}
            {{- '\\n' + message.content }}
        {%- endif %}
        {%- for tool_call in message.tool_calls %}
            {%- if tool_call.function is defined %}
                {%- set tool_call = tool_call.function %}
            {%- endif %}
            {{- '\\n<tool_call>\\n{"name": "' }}
            {{- tool_call.name }}
            {{- '", "arguments": ' }}
            {{- tool_call.arguments | tojson }}
            {{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\\n<tool_response>\\n' }}
        {{- message.content }}
        {{- '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""

QWEN3 = """{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0].role == 'system' %}
        {{- messages[0].content + '\\n\\n' }}
    {%- endif %}
    {{- "# Tools\\n<tools>" }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\\n</tools><|im_end|>\\n" }}
{%- else %}
    {%- if messages[0].role == 'system' %}
        {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endif %}
{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}
        {%- set content = message.content %}
    {%- else %}
        {%- set content = '' %}
    {%- endif %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {%- set reasoning_content = '' %}
        {%- if message.reasoning_content is string %}
            {%- set reasoning_content = message.reasoning_content %}
        {%- else %}
            {%- if '</think>' in content %}
                {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
                {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
            {%- endif %}
        {%- endif %}
        {%- if loop.index0 > ns.last_query_index %}
            {%- if loop.last or (not loop.last and reasoning_content) %}
                {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
            {%- else %}
                {{- '<|im_start|>' + message.role + '\\n' + content }}
            {%- endif %}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\\n' + content }}
        {%- endif %}
        {%- if message.tool_calls %}
            {%- for tool_call in message.tool_calls %}
                {%- if (loop.first and content) or (not loop.first) %}
                    {{- '\\n' }}
                {%- endif %}
                {%- if tool_call.function %}
                    {%- set tool_call = tool_call.function %}
                {%- endif %}
                {{- '<tool_call>\\n{"name": "' }}
                {{- tool_call.name }}
                {{- '", "arguments": ' }}
                {%- if tool_call.arguments is string %}
                    {{- tool_call.arguments }}
                {%- else %}
                    {{- tool_call.arguments | tojson }}
                {%- endif %}
                {{- '}\\n</tool_call>' }}
            {%- endfor %}
        {%- endif %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\\n<tool_response>\\n' }}
        {{- content }}
        {{- '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}"""

GEMMA2 = """{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\\n'}}{% endif %}"""

GEMMA3 = """{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}
        {%- set first_user_prefix = messages[0]['content'] + '\\n\\n' -%}
    {%- else -%}
        {%- set first_user_prefix = messages[0]['content'][0]['text'] + '\\n\\n' -%}
    {%- endif -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("Conversation roles must alternate user/assistant/user/assistant/...") }}
    {%- endif -%}
    {%- if (message['role'] == 'assistant') -%}
        {%- set role = "model" -%}
    {%- else -%}
        {%- set role = message['role'] -%}
    {%- endif -%}
    {{ '<start_of_turn>' + role + '\\n' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {%- if item['type'] == 'image' -%}
                {{ '<start_of_image>' }}
            {%- elif item['type'] == 'text' -%}
                {{ item['text'] | trim }}
            {%- endif -%}
        {%- endfor -%}
    {%- else -%}
        {{ raise_exception("Invalid content type") }}
    {%- endif -%}
    {{ '<end_of_turn>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{'<start_of_turn>model\\n'}}
{%- endif -%}
"""

PHI3 = """{% for message in messages %}{% if message['role'] == 'system' and message['content'] %}{{'<|system|>\\n' + message['content'] + '<|end|>\\n'}}{% elif message['role'] == 'user' %}{{'<|user|>\\n' + message['content'] + '<|end|>\\n'}}{% elif message['role'] == 'assistant' %}{{'<|assistant|>\\n' + message['content'] + '<|end|>\\n'}}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}"""

PHI4MINI = """{% for message in messages %}{% if message['role'] == 'system' and 'tools' in message and message['tools'] is not none %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|tool|>' + message['tools'] + '<|/tool|>' + '<|end|>' }}{% else %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% else %}{{ eos_token }}{% endif %}"""

GRANITE = """{%- if messages[0]['role'] == 'system' %}
     {%- set system_message = messages[0]['content'] %}
     {%- set loop_messages = messages[1:] %}
 {%- else %}
     {%- set system_message = "Today's date: " + strftime_now('%B %d, %Y') + ".\\nYou are a loom." %}
     {%- if tools and documents %}
         {%- set system_message = system_message + " Tools and documents are there." %}
     {%- elif tools %}
         {%- set system_message = system_message + " Tools are there." %}
     {%- elif documents %}
         {%- set system_message = system_message + " Documents are there." %}
     {%- endif %}
     {%- set loop_messages = messages %}
 {%- endif %}
 {{- '<|start_of_role|>system<|end_of_role|>' + system_message + '<|end_of_text|>\\n' }}
 {%- if tools %}
     {{- '<|start_of_role|>tools<|end_of_role|>' }}
     {{- tools | tojson(indent=4) }}
     {{- '<|end_of_text|>\\n' }}
 {%- endif %}
 {%- if documents %}
     {{- '<|start_of_role|>documents<|end_of_role|>' }}
     {%- for document in documents %}
         {{- 'Document ' + loop.index0 | string + '\\n' }}
         {{- document['text'] }}
         {%- if not loop.last %}
              {{- '\\n\\n'}}
         {%- endif %}
     {%- endfor %}
     {{- '<|end_of_text|>\\n' }}
 {%- endif %}
 {%- for message in loop_messages %}
     {{- '<|start_of_role|>' + message['role'] + '<|end_of_role|>' + message['content'] + '<|end_of_text|>\\n' }}
     {%- if loop.last and add_generation_prompt %}
         {{- '<|start_of_role|>assistant' }}
             {%- if controls %}
                 {{- ' ' + controls | tojson()}}
             {%- endif %}
         {{- '<|end_of_role|>' }}
     {%- endif %}
 {%- endfor %}"""

ZEPHYR = """{% for message in messages %}
{% if message['role'] == 'user' %}
{{ '<|user|>
' + message['content'] + eos_token }}
{% elif message['role'] == 'system' %}
{{ '<|system|>
' + message['content'] + eos_token }}
{% elif message['role'] == 'assistant' %}
{{ '<|assistant|>
'  + message['content'] + eos_token }}
{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}"""

DEEPSEEK = """{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% set ns = namespace(is_first=false, is_tool=false, is_output_first=true, system_prompt='') %}{%- for message in messages %}{%- if message['role'] == 'system' %}{% set ns.system_prompt = ns.system_prompt ~ message['content'] %}{%- endif %}{%- endfor %}{{bos_token}}{{ns.system_prompt}}{%- for message in messages %}{%- if message['role'] == 'user' %}{%- set ns.is_tool = false -%}{{'<User>' + message['content']}}{%- endif %}{%- if message['role'] == 'assistant' and message['tool_calls'] is defined %}{%- set ns.is_tool = false -%}{%- for tool in message['tool_calls']%}{%- if not ns.is_first %}{{'<Assistant><calls><call>' + tool['type'] + '<sep>' + tool['function']['name'] + '\\n' + '```json' + '\\n' + tool['function']['arguments']|tojson + '\\n' + '```' + '</call>'}}{%- set ns.is_first = true -%}{%- else %}{{'\\n' + '<call>' + tool['type'] + '<sep>' + tool['function']['name']}}{%- endif %}{%- endfor %}{{'</calls>' + eos_token}}{%- endif %}{%- if message['role'] == 'assistant' and message['tool_calls'] is not defined %}{%- if ns.is_tool %}{{'</outputs>' + message['content'] + eos_token}}{%- set ns.is_tool = false -%}{%- else %}{% set content = message['content'] %}{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}{{'<Assistant>' + content + eos_token}}{%- endif %}{%- endif %}{%- if message['role'] == 'tool' %}{%- set ns.is_tool = true -%}{%- if ns.is_output_first %}{{'<outputs><output>' + message['content'] + '</output>'}}{%- set ns.is_output_first = false %}{%- else %}{{'\\n<output>' + message['content'] + '</output>'}}{%- endif %}{%- endif %}{%- endfor -%}{% if ns.is_tool %}{{'</outputs>'}}{% endif %}{% if add_generation_prompt and not ns.is_tool %}{{'<Assistant><think>\\n'}}{% endif %}"""

COMMAND = """{#- Macros, white space and types, as command-like templates have them -#}
{%- macro type_name(spec) -%}
    {%- if spec.type == 'string' -%}
        str
    {%- elif spec.type in ['integer', 'number'] -%}
        {{ 'int' if spec.type == 'integer' else 'float' }}
    {%- elif spec.type == 'array' -%}
        List[{{ type_name(spec['items']) if 'items' in spec else 'Any' }}]
    {%- elif spec.type == 'object' -%}
        Dict{% if spec.properties is defined %}({% for key, value in spec.properties|dictsort %}{{ key }}: {{ type_name(value) }}{{ ', ' if not loop.last }}{% endfor %}){% endif %}
    {%- else -%}
        Any
    {%- endif -%}
{%- endmacro -%}

{%- macro section(title, level=2) -%}
    {{ '#' * level }} {{ title|upper }}
{{ caller()|indent(2, first=true) }}
{%- endmacro -%}

{{ bos_token }}
{%- set ns = namespace(system='', count=0) -%}
{%- for m in messages if m.role == 'system' -%}
    {%- set ns.system = ns.system + m.content|trim + '\\n' -%}
{%- endfor %}
<turn:system>
{% call section('preamble') %}
{{ ns.system or default_system|default('None given.', true) }}
{%- endcall %}

{% if tools %}
{% call section('tools', level=3) %}
{% for tool in tools %}
{%- set f = tool.function if tool.function is defined else tool %}
def {{ f.name }}({% for name, spec in (f.parameters.properties|default({})).items() %}{{ name }}: {{ type_name(spec) }}{% if name not in f.parameters.required|default([]) %} = None{% endif %}{{ ", " if not loop.last }}{% endfor %}):
    \"\"\"{{ f.description|default('No description')|capitalize }}\"\"\"
{% endfor %}
{% endcall %}

{% endif %}
{% for message in messages %}
    {%- if message.role == 'system' %}{% continue %}{% endif %}
    {% set ns.count = ns.count + 1 %}
    {%- generation %}{{ '' }}{% endgeneration %}
<turn:{{ message.role }}{{ ' n=%02d' % ns.count }}>
    {%- if message.content is string %}
{{ message.content|trim|replace('<turn', '< turn') }}
    {%- elif message.content is sequence %}
        {%- for part in message.content|selectattr('type', 'eq', 'text') %}
{{ loop.index }}. {{ part.text }}
        {%- else %}
(nothing)
        {%- endfor %}
    {%- endif %}
    {%- if message.tool_calls is defined and message.tool_calls %}
Action: {{ message.tool_calls|map(attribute='function')|list|tojson(indent=2) }}
Names: {{ message.tool_calls|map(attribute='function.name')|join(', ')|title }}
    {%- endif %}
{% endfor %}
{% if add_generation_prompt %}<turn:assistant>{% endif %}
"""

S2 = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
S3 = {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"}
IM = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
TEMPLATES = {
    "llama2": (LLAMA2, S2), "llama3": (LLAMA3, S3), "llama31": (LLAMA31, S3), "mistral": (MISTRAL, S2), "mistral3": (MISTRAL3, S2),
    "chatml": (CHATML, IM), "qwen25": (QWEN25, IM), "qwen3": (QWEN3, IM), "gemma2": (GEMMA2, {"bos_token": "<bos>", "eos_token": "<eos>"}),
    "gemma3": (GEMMA3, {"bos_token": "<bos>", "eos_token": "<eos>"}), "phi3": (PHI3, {"bos_token": "<s>", "eos_token": "<|endoftext|>"}),
    "phi4mini": (PHI4MINI, {"eos_token": "<|endoftext|>"}), "granite": (GRANITE, {"bos_token": "<|end_of_text|>", "eos_token": "<|end_of_text|>"}),
    "zephyr": (ZEPHYR, S2), "deepseek": (DEEPSEEK, {"bos_token": "<begin>", "eos_token": "<end>"}), "command": (COMMAND, {"bos_token": "<BOS>"}),
}
CASE_COUNT = 36

TEXTS = [
    "Hi", "", " ", "What is 2 + 2?", "  leading and trailing  \n", "Grüße aus Köln", "你好，世界", "😀👩‍👩‍👧 e\u0301", "<|im_end|> injected </s>", "a\n\nb\tc", "{{ not a template }} {% x %}",
    "quote \" and ' and \\ back", "<think>\nhm\n</think>\n\nYes.", "<think>open", "<b>&amp;</b>", "١٢٣", "line\r\nend", "\u2028sep\u00a0nbsp", "word " * 30, "<tool_response>x</tool_response>",
]
VALUES = [1, 0, -3, 2.5, 1e-7, 1e17, True, False, None, "x", "ü\"\n", [1, "a"], {"k": [None, {"z": 1.0}]}, [], {}]
TOOLS = [
    {"type": "function", "function": {"name": "get_weather", "description": "the weather of a place", "parameters": {"type": "object", "properties": {"city": {"type": "string", "description": "Ort – \"Köln\""}, "days": {"type": "integer"}}, "required": ["city"]}}},
    {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {"values": {"type": "array", "items": {"type": "number"}}, "how": {"type": "object", "properties": {"b": {"type": "string"}, "a": {"type": "integer"}}}}}, "return": {"type": "number"}}},
    {"type": "function", "function": {"name": "now", "description": "time", "parameters": {"type": "object", "properties": {}}}},
]


def call(rng):
    arguments = {rng.choice("abcdé"): rng.choice(VALUES) for _ in range(rng.randrange(3))}
    result = {"type": "function", "function": {"name": rng.choice(["get_weather", "add", "brave_search"]), "arguments": arguments}}
    if rng.random() < 0.7:
        result["id"] = "".join(rng.choice("abc123XYZ") for _ in range(9 if rng.random() < 0.9 else 4))
    return result


def content(rng, allows_list):
    if allows_list and rng.random() < 0.12:
        parts = [{"type": "text", "text": rng.choice(TEXTS)} if rng.random() < 0.7 else {"type": "image"} for _ in range(rng.randrange(3))]
        return parts
    return rng.choice(TEXTS)


def conversation(rng):
    messages = []
    if rng.random() < 0.4:
        messages.append({"role": "system", "content": content(rng, rng.random() < 0.2)})
    uses_tools = rng.random() < 0.4
    for _ in range(rng.randrange(1, 4)):
        messages.append({"role": "user", "content": content(rng, True)})
        if uses_tools and rng.random() < 0.5:
            calls = [call(rng) for _ in range(1 if rng.random() < 0.7 else 2)]
            message = {"role": "assistant", "tool_calls": calls}
            if rng.random() < 0.5:
                message["content"] = rng.choice([None, "", "Let me see."])
            messages.append(message)
            for one in calls:
                messages.append({"role": "tool", "name": one["function"]["name"], "content": rng.choice(TEXTS[:12] + ["{\"t\": 3}"]), "tool_call_id": one.get("id", "x")})
        if rng.random() < 0.75:
            message = {"role": "assistant", "content": content(rng, False)}
            if rng.random() < 0.15:
                message[rng.choice(["reasoning_content", "thinking", "reasoning"])] = rng.choice(TEXTS)
            messages.append(message)
    if rng.random() < 0.12:
        # Something is wrong: a missing key, a null, a strange role, two of a kind.
        broken = rng.randrange(len(messages))
        choice = rng.randrange(5)
        if choice == 0:
            messages[broken].pop("content", None)
        elif choice == 1:
            messages[broken]["content"] = None
        elif choice == 2:
            messages[broken]["role"] = rng.choice(["critic", "SYSTEM", "ipython"])
        elif choice == 3:
            messages.insert(broken, dict(messages[broken]))
        else:
            messages[broken].pop("role", None)
    return messages


def cases(name, rng):
    for number in range(CASE_COUNT):
        case = {"messages": conversation(rng)}
        if rng.random() < 0.6:
            case["prompt"] = True
        if rng.random() < 0.35:
            case["tools"] = [rng.choice(TOOLS) for _ in range(rng.randrange(1, 3))]
        elif rng.random() < 0.1:
            case["tools"] = []
        if name == "granite" and rng.random() < 0.3:
            case["documents"] = [{"text": rng.choice(TEXTS)} for _ in range(rng.randrange(1, 3))]
        extra = {}
        if name == "qwen3" and rng.random() < 0.4:
            extra["enable_thinking"] = rng.random() < 0.5
        if name == "granite" and rng.random() < 0.3:
            extra["controls"] = {"length": "short", "n": rng.choice(VALUES)}
        if name == "llama31":
            if rng.random() < 0.2:
                extra["date_string"] = "1 Jan 2025"
            if rng.random() < 0.2:
                extra["builtin_tools"] = ["brave_search", "code_interpreter"]
            if rng.random() < 0.2:
                extra["tools_in_user_message"] = False
        if name == "command" and rng.random() < 0.2:
            extra["default_system"] = rng.choice(TEXTS)
        if rng.random() < 0.05:
            extra["bos_token"] = "<other>"
        if extra:
            case["extra"] = extra
        yield case


def folders():
    """Files of model folders, with every place that a template or a special token may come from."""
    one, two, three = "ONE {{ bos_token }}", "TWO {{ messages }}", "THREE"
    added = {"content": "<x>", "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
    typed = {"__type": "AddedToken", **added}
    yield {"tokenizer_config.json": {"chat_template": one, "bos_token": "<s>", "eos_token": "</s>"}}
    yield {"tokenizer_config.json": {"chat_template": one}, "chat_template.jinja": two}
    yield {"tokenizer_config.json": {}, "chat_template.jinja": two + "\n"}
    yield {"tokenizer_config.json": {"chat_template": [{"name": "default", "template": one}, {"name": "tool_use", "template": two}]}}
    yield {"tokenizer_config.json": {"chat_template": [{"name": "rag", "template": one}, {"name": "tool_use", "template": two}]}}
    yield {"tokenizer_config.json": {"chat_template": [{"name": "default", "template": one}]}, "chat_templates/tool_use.jinja": three}
    yield {"tokenizer_config.json": {"chat_template": one}, "chat_template.jinja": two, "additional_chat_templates/tool_use.jinja": three}
    yield {"tokenizer_config.json": {"chat_template": one}, "additional_chat_templates/default.jinja": three}
    yield {"tokenizer_config.json": {"chat_template": one}, "chat_template.jinja": two, "additional_chat_templates/default.jinja": three}
    yield {"tokenizer_config.json": {"chat_template": one}, "additional_chat_templates/tool_use.jinja": three}
    yield {"tokenizer_config.json": {"chat_template": one}, "additional_chat_templates/tool_use.jinja": three, "additional_chat_templates/rag.jinja": two}
    yield {"tokenizer_config.json": {"chat_template": one}, "chat_template.jinja": two, "additional_chat_templates/tool_use.jinja": three, "additional_chat_templates/note.txt": one}
    yield {"tokenizer_config.json": {"chat_template": [{"name": "default", "template": one}, {"name": "tool_use", "template": two}]}, "chat_template.jinja": three}
    yield {"tokenizer_config.json": {"bos_token": "<s>"}}
    yield {"tokenizer_config.json": {"chat_template": one, "bos_token": typed, "eos_token": added, "unk_token": "<unk>", "pad_token": None}}
    yield {"tokenizer_config.json": {"chat_template": one, "bos_token": "<s>"}, "special_tokens_map.json": {"bos_token": "<map>", "eos_token": added, "pad_token": {**added, "content": "<p>"}}}
    yield {"tokenizer_config.json": {"chat_template": one, "bos_token": "<s>", "added_tokens_decoder": {}}, "special_tokens_map.json": {"bos_token": "<map>", "eos_token": "<e>"}}
    yield {"tokenizer_config.json": {"chat_template": one, "cls_token": "[C]", "sep_token": "[S]", "mask_token": "[M]", "additional_special_tokens": ["<a>", "<b>"]}}
    yield {"tokenizer_config.json": {"chat_template": one, "image_token": "<img>", "boi_token": "<boi>"}}
    yield {"tokenizer_config.json": {"chat_template": one, "extra_special_tokens": {"image_token": "<img>"}}}
    yield {"tokenizer_config.json": {"chat_template": one, "bos_token": "", "eos_token": "</s>"}}
    yield {"special_tokens_map.json": {"bos_token": "<map>"}, "chat_template.jinja": two}
