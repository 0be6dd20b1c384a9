/// One Python value as a template sees it. Lists, tuples and dictionaries never change: the sandbox forbids it.
enum Value {
    case undefined(Undefined)
    case none
    case bool(Bool)
    case integer(Int)
    case float(Double)
    case text(Text)
    /// A text that `safe` or `escape` made.
    case markup(Text)
    case list(Items)
    case tuple(Items)
    case mapping(Mapping)
    case namespace(Namespace)
    case range(Progression)
    case view(MappingView)
    case iterator(ValueIterator)
    case loop(LoopState)
    case macro(Macro)
    case function(GlobalFunction)
    case method(BoundMethod)
    case joiner(Joiner)
    case cycler(Cycler)
}

/// What stands for a name, attribute or item that is not there; most uses of it are errors with this message.
final class Undefined {
    let message: String
    /// Whether it stands for something that the sandbox hides.
    let isForbidden: Bool

    init(_ message: String, isForbidden: Bool = false) {
        self.message = message
        self.isForbidden = isForbidden
    }
}

/// The elements of a list or tuple, with how deep lists lie inside.
final class Items {
    let values: [Value]
    let depth: Int
    /// Whether it is what `groupby` makes, whose elements have names.
    let isGroup: Bool

    init(_ values: [Value], isGroup: Bool = false) {
        self.values = values
        self.isGroup = isGroup
        depth = 1 + values.reduce(0) { max($0, $1.depth) }
    }
}

/// Named values that a template may set: the one thing that outlives a loop's scope.
final class Namespace {
    var attributes: [(name: Text, value: Value)] = []

    subscript(_ name: Text) -> Value? { attributes.first { $0.name == name }?.value }

    func set(_ name: Text, _ value: Value) {
        if let index = attributes.firstIndex(where: { $0.name == name }) {
            attributes[index].value = value
        } else {
            attributes.append((name, value))
        }
    }
}

/// Python's `range`.
struct Progression {
    let start: Int
    let stop: Int
    let step: Int
    let count: Int

    subscript(_ index: Int) -> Int { start + index * step }
}

/// What `keys()`, `values()` and `items()` return.
struct MappingView {
    enum Part: String { case keys, values, items }

    let mapping: Mapping
    let part: Part

    var values: [Value] {
        switch part {
        case .keys: mapping.entries.map(\.key)
        case .values: mapping.entries.map(\.value)
        case .items: mapping.entries.map { .tuple(Items([$0.key, $0.value])) }
        }
    }
}

/// What can be walked once, element by element, as Python's generators.
final class ValueIterator {
    let next: () throws(TemplateError) -> Value?
    /// Iterators inside each other: taking an element goes through all of them.
    let depth: Int

    init(depth: Int, _ next: @escaping () throws(TemplateError) -> Value?) {
        self.depth = depth
        self.next = next
    }

    convenience init(_ values: [Value]) {
        var index = 0
        self.init(depth: 1 + values.reduce(0) { max($0, $1.depth) }) { () throws(TemplateError) -> Value? in
            guard index < values.count else { return nil }
            index += 1
            return values[index - 1]
        }
    }
}

/// A method of a value, not yet called.
final class BoundMethod {
    let receiver: Value
    let name: String

    init(_ receiver: Value, _ name: String) {
        self.receiver = receiver
        self.name = name
    }
}

/// Nothing at first, its separator from then on.
final class Joiner {
    let separator: Value
    var isUsed = false

    init(_ separator: Value) { self.separator = separator }
}

/// Values in turns.
final class Cycler {
    let values: [Value]
    var position = 0

    init(_ values: [Value]) { self.values = values }
}

/// The functions that every template finds.
enum GlobalFunction: String, CaseIterable {
    case range, dict, namespace, joiner, cycler
    case raiseException = "raise_exception"
    case strftimeNow = "strftime_now"
    case lipsum
}

extension Value {
    /// How deep lists and iterators lie inside it; 0 for what holds nothing.
    var depth: Int {
        switch self {
        case .list(let items), .tuple(let items): items.depth
        case .mapping(let mapping): mapping.depth
        case .view(let view): view.mapping.depth + 1
        case .iterator(let iterator): iterator.depth
        case .method(let method): method.receiver.depth + 1
        case .joiner(let joiner): joiner.separator.depth + 1
        case .cycler(let cycler): cycler.values.reduce(0) { max($0, $1.depth) } + 1
        default: 0
        }
    }

    /// The text of a string, marked or not; nil for anything else.
    var string: Text? {
        switch self {
        case .text(let text), .markup(let text): text
        default: nil
        }
    }

    /// The number of a whole number or truth value; nil for anything else.
    var index: Int? {
        switch self {
        case .integer(let number): number
        case .bool(let truth): truth ? 1 : 0
        default: nil
        }
    }

    var isUndefined: Bool { if case .undefined = self { true } else { false } }
    var isNone: Bool { if case .none = self { true } else { false } }

    /// The name of the type in Python.
    var typeName: String {
        switch self {
        case .undefined: "Undefined"
        case .none: "NoneType"
        case .bool: "bool"
        case .integer: "int"
        case .float: "float"
        case .text: "str"
        case .markup: "Markup"
        case .list: "list"
        case .tuple: "tuple"
        case .mapping: "dict"
        case .namespace: "TemplateNamespace"
        case .range: "range"
        case .view(let view): "dict_\(view.part.rawValue)"
        case .iterator: "generator"
        case .loop: "LoopContext"
        case .macro: "Macro"
        case .function: "function"
        case .method: "builtin_function_or_method"
        case .joiner: "Joiner"
        case .cycler: "Cycler"
        }
    }

    /// The name of the type as Jinja2's messages give it.
    var objectName: String {
        switch self {
        case .none: "None"
        case .namespace: "transformers.utils.chat_template_utils.TemplateNamespace object"
        case .macro, .loop, .undefined: "jinja2.runtime.\(typeName) object"
        case .joiner, .cycler: "jinja2.utils.\(typeName) object"
        case .markup: "markupsafe.Markup object"
        default: "\(typeName) object"
        }
    }
}
