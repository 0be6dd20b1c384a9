/// One statement of a template, or a piece of its text.
indirect enum Statement: Sendable {
    case data(Text)
    case output(Expression)
    case branches([(test: Expression, body: [Statement])], otherwise: [Statement])
    case loop(Loop)
    case set(Target, Expression)
    case setBlock(Target, filter: Expression?, Body, line: Int)
    case macro(slot: Int, name: String, MacroDefinition)
    /// A macro without name, given as `caller` to a call.
    case callBlock(Expression, MacroDefinition)
    case filterBlock(Expression, Body)
    case with([(target: Target, value: Expression)], Body, line: Int)
    /// What the assistant says: rendered as its own scope.
    case generation(MacroDefinition)
    case breakLoop
    case continueLoop

    /// Statements with variables of their own.
    struct Body: Sendable {
        var statements: [Statement]
        var scope = Scope()
    }

    struct Loop: Sendable {
        var target: Target
        var iterable: Expression
        var test: Expression?
        /// The target and the scope again, as the test sees them.
        var testTarget: Target
        var testScope = Scope()
        var isRecursive: Bool
        var body: Body
        var otherwise: Body
        /// Where the loop's own variable lives in its body.
        var loopSlot = 0
        var line: Int
    }

    /// A macro, or the body of a `call` or `generation` block.
    struct MacroDefinition: Sendable {
        /// nil for blocks.
        var name: String?
        var parameters: [(name: String, fallback: Expression?)]
        var body: Body
        var parameterSlots: [Int] = []
        var callerSlot: Int?
        var keywordsSlot: Int?
        var restSlot: Int?
        var line: Int
    }

    /// Where a value goes.
    indirect enum Target: Sendable {
        /// A name as it was written; the `Binder` replaces it by a slot.
        case name(String, line: Int)
        case slot(Int)
        case attribute(of: Expression, String)
        case tuple([Target])
    }
}

/// The variables of one scope, and how each gets its first value when the scope is entered.
struct Scope: Sendable {
    /// How a variable starts.
    enum Start: Sendable {
        /// Its value is given by whoever enters the scope.
        case given
        /// What the conversation's variables or Jinja's own functions have under the name.
        case resolved(Text)
        /// The value of a variable of an outer scope.
        case copied(framesUp: Int, slot: Int)
        /// Not defined until it is set.
        case missing
    }

    /// By slot.
    var starts: [Start] = []
}
