/// One expression of a template: what it computes, where it stands, and how deep its tree is.
struct Expression: Sendable {
    let kind: Kind
    let line: Int
    /// Levels of the tree, so that nothing that walks it can exhaust the stack.
    let depth: Int

    /// The forms that Jinja2's parser makes.
    indirect enum Kind: Sendable {
        case constant(Constant)
        /// A name as it was written; the `Binder` replaces it by a variable.
        case name(String)
        case variable(Variable)
        /// The text that a `filter` or `set` block caught.
        case captured
        case tuple([Expression])
        case list([Expression])
        case dictionary([(key: Expression, value: Expression)])
        case attribute(Expression, String)
        case item(Expression, Expression)
        case slice(Expression, start: Expression?, stop: Expression?, step: Expression?)
        case call(Expression, Arguments)
        case filter(Expression, String, Arguments)
        case test(Expression, String, Arguments)
        case conditional(test: Expression, then: Expression, otherwise: Expression?)
        case and(Expression, Expression)
        case or(Expression, Expression)
        case not(Expression)
        case negative(Expression)
        case positive(Expression)
        case binary(BinaryOperator, Expression, Expression)
        case concatenation([Expression])
        case comparison(Expression, [(relation: ComparisonOperator, operand: Expression)])
    }

    /// What stands in parentheses behind a callee, a filter or a test.
    struct Arguments: Sendable {
        var positional: [Expression] = []
        var keywords: [(name: String, value: Expression)] = []
        /// Behind `*`.
        var unpacked: Expression?
        /// Behind `**`.
        var unpackedKeywords: Expression?

        var all: [Expression] {
            positional + keywords.map(\.value) + [unpacked, unpackedKeywords].compactMap(\.self)
        }
    }
}

/// A literal of a template.
enum Constant: Sendable {
    case none
    case bool(Bool)
    case integer(Int)
    case float(Double)
    case text(Text)
}

/// Where a name's value lives: so many frames up, in this slot.
struct Variable: Sendable {
    let name: String
    let framesUp: Int
    let slot: Int
}

/// Arithmetic between two values.
enum BinaryOperator: String, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case floorDivide = "//"
    case remainder = "%"
    case power = "** or pow()"
}

/// Comparisons that may be chained.
enum ComparisonOperator: String, Sendable {
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case isIn = "in"
    case isNotIn = "not in"
}
