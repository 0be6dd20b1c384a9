import HeddleCore
import HeddleGateway
import Testing

/// Event ids, which come back from clients that may send anything.
@Suite struct StreamPositionTests {
    private let request = RequestID(high: 0x0123, low: 0xABCD)

    @Test func whatIsWrittenIsReadBack() {
        let position = StreamPosition(
            request: request, created: 1_795_863_665,
            choices: [
                .init(), .init(nextIndex: 7), .init(nextIndex: 12, isEnded: true),
                .init(nextIndex: 3, isEnded: true, textOffset: 40),
            ])
        #expect(position.text == "0000000000000123000000000000abcd.1795863665.0,7,12f,3f@40")
        #expect(StreamPosition(position.text, choiceCountMax: 4) == position)
        #expect(StreamPosition(position.text, choiceCountMax: 3) == nil)
    }

    @Test(arguments: [
        "", ".", "..", "x.1.0", "0000000000000123000000000000abcd", "0000000000000123000000000000abcd.1",
        "0000000000000123000000000000abcd.1.", "0000000000000123000000000000abcd.1.-1",
        "0000000000000123000000000000abcd.1.0,", "0000000000000123000000000000abcd.1.f",
        "0000000000000123000000000000abcd.1.0@", "0000000000000123000000000000abcd.99999999999999999999.0",
        "0000000000000123000000000000abcd.1.1234567890123", "0000000000000123000000000000abcd.1.0.0",
        "0000000000000123000000000000abcd.+1.0", "0000000000000123000000000000abcd.1.0@1@2",
    ])
    func whatIsNoEventIDIsNone(text: String) {
        #expect(StreamPosition(text, choiceCountMax: 16) == nil)
    }
}
