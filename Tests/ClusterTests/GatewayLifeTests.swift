import Foundation
import HeddleCore
import Testing

extension WholeMesh {
    /// Gateways whose meshes are short of something, lose something or end.
    @Suite struct GatewayLifeTests {
        private static let long = """
            "model": "sql", "prompt": "x", "max_tokens": 900, "temperature": 100, "seed": 1, "ignore_eos": true
            """

        @Test(.timeLimit(.minutes(2))) func whoHasTooManyRequestsIsToldWhenToComeAgain() async throws {
            try await RunningMesh.with(
                .oneProcess, changing: { $0.replacing("requests: 256 ", with: "requests: 2 ") }
            ) { mesh in
                let curls = try (0..<2).map { _ in
                    try StartedProcess(
                        Curl.path, Curl.words("\(mesh.url)/v1/completions", body: "{\(Self.long), \"n\": 8}"))
                }
                _ = try await eventually("two requests", look: { try await mesh.picture() }) { $0.requests.count == 2 }
                let refused = try await Curl.call("\(mesh.url)/v1/completions", body: "{\(Self.long)}")
                #expect(refused.status == 429)
                #expect(try refused.error("code") == "rate_limit_exceeded")
                #expect(refused.headers["retry-after"] == "1" && refused.headers["retry-after-ms"] == "1000")
                // Another tenant has room.
                let other = try await Curl.call(
                    "\(mesh.url)/v1/completions", key: "demo-beacon",
                    body: #"{"model": "sql", "prompt": "x", "max_tokens": 2}"#)
                #expect(other.status == 200)
                if PythonProgram.canRun {
                    // OpenAI's package waits as it is told and succeeds.
                    try await PythonProgram.run("retry_cases.py", environment: mesh.pythonEnvironment)
                }
                for curl in curls { curl.send(SIGKILL) }
            }
        }

        /// A second router beside the shipped one, in a process of its own.
        private static func withSecondRouter(_ text: String, port: UInt16, http: UInt16) -> String {
            text.replacing(
                "  - {name: queue,",
                with: """
                      - {name: second, roles: [router], client: "tcp://127.0.0.1:\(port)", http: "127.0.0.1:\(http)"}
                      - {name: queue,
                    """)
        }

        @Test(.enabled(if: PythonProgram.canRun), .timeLimit(.minutes(3)))
        func aStreamGoesOnAtAnotherGatewayWhenItsRouterDies() async throws {
            let port = try freePort()
            let http = try freePort(besides: port)
            try await RunningMesh.with(
                .twoGroups, changing: { Self.withSecondRouter($0, port: port, http: http) }
            ) { mesh in
                let process = try #require(mesh.processes()["router"])
                var environment = mesh.pythonEnvironment
                environment["HEDDLE_SECOND_URL"] = mesh.configuration.gateways[1].origin
                environment["HEDDLE_ROUTER_PID"] = "\(process)"
                try await PythonProgram.run("router_loss_cases.py", environment: environment)
                try await mesh.whole()
                environment["HEDDLE_SECOND_PID"] = "\(try #require(mesh.processes()["second"]))"
                try await PythonProgram.run(
                    "socket_cases.py", environment: environment, arguments: ["case_an_answer_outlives_its_router"])
                try await mesh.whole()
            }
        }

        @Test(.enabled(if: PythonProgram.canRun), .timeLimit(.minutes(2)))
        func aStreamThatHasToWaitSaysThatItLives() async throws {
            try await RunningMesh.with(.frontAndTwoRanks) { mesh in
                let workers = try ["worker-0", "worker-1"].map { try #require(mesh.processes()[$0]) }
                var environment = mesh.pythonEnvironment
                environment["HEDDLE_WORKER_PIDS"] = workers.map { "\($0)" }.joined(separator: " ")
                try await PythonProgram.run("waiting_cases.py", environment: environment)
                try await mesh.whole()
            }
        }

        @Test(.timeLimit(.minutes(2))) func anAnswerThatIsUnderWayIsFinishedBeforeTheNodeEnds() async throws {
            let mesh = try await RunningMesh.start(
                .oneProcess, changing: { $0.replacing("drain: 5s", with: "drain: 30s") })
            let body = "{\(Self.long), \"stream\": true, \"n\": 2}"
            let curl = try StartedProcess(Curl.path, Curl.words("\(mesh.url)/v1/completions", body: body))
            _ = try await eventually("the first tokens", look: { curl.written }) { !$0.isEmpty }
            mesh.supervisor.send(SIGTERM)
            _ = try await eventually(
                "a gateway that ends", look: { try await Curl.call("\(mesh.url)/readyz?verbose", key: nil) }
            ) { $0.status == 503 }
            let refused = try await Curl.call("\(mesh.url)/v1/completions", body: "{\(Self.long)}")
            #expect(refused.status == 503)
            #expect(try refused.error("code") == "shutting_down")
            #expect(refused.headers["retry-after"] == "1")
            let ended = try await curl.ended(within: .seconds(60))
            #expect(ended.output.hasSuffix("data: [DONE]\n\n"), "\(ended.output.suffix(400)) \(ended.errors)")
            #expect(try await mesh.supervisor.ended(within: .seconds(30)).code == 0)
            try await mesh.expectNothingLeft()
        }

        @Test(.timeLimit(.minutes(2))) func aDrainHasAnEnd() async throws {
            let mesh = try await RunningMesh.start(
                .oneProcess, changing: { $0.replacing("drain: 5s", with: "drain: 300ms") })
            let curls = try (0..<4).map { number in
                try StartedProcess(
                    Curl.path,
                    Curl.words(
                        "\(mesh.url)/v1/completions", body: "{\(Self.long), \"n\": 16, \"stream\": \(number < 2)}"))
            }
            _ = try await eventually("the first tokens", look: { curls[0].written }) { !$0.isEmpty }
            let before = ContinuousClock.now
            mesh.supervisor.send(SIGTERM)
            #expect(try await mesh.supervisor.ended(within: .seconds(30)).code == 0)
            #expect(ContinuousClock.now - before < .seconds(5))
            // A fast machine ends some of them first; who was not done is told why.
            var toldCount = 0
            for curl in curls {
                let ended = try await curl.ended(within: .seconds(10))
                let isTold = ended.output.contains("shutting_down")
                if isTold { toldCount += 1 }
                let isDone = ended.output.hasSuffix("data: [DONE]\n\n") || ended.output.contains("\"usage\"")
                #expect(isTold || isDone, "\(ended.output.suffix(300)) \(ended.errors)")
            }
            #expect(toldCount > 0)
            try await mesh.expectNothingLeft()
        }

        @Test(.timeLimit(.minutes(2))) func withACertificateTheGatewaySpeaksHTTPS() async throws {
            let folder = try TemporaryFolder()
            let made = try StartedProcess(
                "/usr/bin/openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj",
                    "/CN=heddle test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "\(folder.path)/key.pem",
                    "-out", "\(folder.path)/certificate.pem",
                ])
            #expect(try await made.ended(within: .seconds(20)).code == 0)
            let mesh = try await RunningMesh.start(
                .oneProcess, in: folder,
                changing: { text in
                    text.replacing(
                        "    # httpCertificate: tls/front.pem", with: "    httpCertificate: certificate.pem  "
                    )
                    .replacing("    # httpKey: tls/front.key", with: "    httpKey: key.pem")
                })
            #expect(mesh.url.hasPrefix("https://"))
            let body = #"{"model": "sql", "prompt": "x", "max_tokens": 3, "stream": true}"#
            let trusted = try await Curl.call(
                "\(mesh.url)/v1/completions", body: body, options: ["--cacert", "\(folder.path)/certificate.pem"])
            #expect(trusted.status == 200 && trusted.body.hasSuffix("data: [DONE]\n\n"))
            let stranger = try StartedProcess(Curl.path, Curl.words("\(mesh.url)/livez"))
            #expect(try await stranger.ended(within: .seconds(20)).code == 60, "an unknown certificate is not trusted")
            let plain = try StartedProcess(
                Curl.path, Curl.words(mesh.url.replacing("https", with: "http") + "/livez"))
            #expect(try await plain.ended(within: .seconds(20)).code != 0)
            try await mesh.stop()
        }

        @Test(.timeLimit(.minutes(1))) func aCertificateThatIsNoneStopsTheStart() async throws {
            let folder = try TemporaryFolder()
            for name in ["certificate.pem", "key.pem"] { _ = try folder.write("nonsense\n", to: name) }
            let file = try RunningMesh.write(
                .oneProcess, in: folder,
                changing: { text in
                    text.replacing(
                        "    # httpCertificate: tls/front.pem", with: "    httpCertificate: certificate.pem  "
                    )
                    .replacing("    # httpKey: tls/front.key", with: "    httpKey: key.pem")
                })
            let ended = try await HeddleProgram.run(["up", "-c", file])
            #expect(ended.code == 2)
            #expect(ended.errors.contains("certificate.pem"), "\(ended.errors)")
        }

        @Test(.timeLimit(.minutes(1))) func anAddressThatIsTakenIsNamed() async throws {
            let holder = try PortHolder()
            let folder = try TemporaryFolder()
            let file = try RunningMesh.write(.oneProcess, in: folder) { text in
                text.replacing(/http: 127.0.0.1:[0-9]+/, with: "http: 127.0.0.1:\(holder.port)")
            }
            let ended = try await HeddleProgram.run(["up", "-c", file])
            #expect(ended.code == 2)
            #expect(ended.errors.contains("http of node “all”") && ended.errors.contains("\(holder.port)"))
        }
    }
}
