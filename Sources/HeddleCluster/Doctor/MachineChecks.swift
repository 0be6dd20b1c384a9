import CHeddleLinux
import Foundation

/// Looks whether this machine can run a mesh: processor, memory, limits.
public enum MachineChecks {
    /// All checks of the machine.
    ///
    /// - Parameter threadCount: compute threads that the cluster file wants here; nil without one.
    public static func findings(threadCount: Int?) -> [Finding] {
        [
            instructionSet(cpuInfo: text("/proc/cpuinfo")),
            cores(sysconf(Int32(_SC_NPROCESSORS_ONLN)), threadCount: threadCount),
            memory(info: text("/proc/meminfo")), sharedMemory(), openFiles(),
        ]
    }

    /// The fastest class of kernels that the processor runs. All classes compute the same bits.
    package static func instructionSet(cpuInfo: String) -> Finding {
        let line = cpuInfo.split(separator: "\n").first { $0.hasPrefix("flags") || $0.hasPrefix("Features") }
        let features = Set((line?.split(separator: ":").last ?? "").split(separator: " ").map(String.init))
        let more = ["avx512_bf16", "avx512_vnni", "avx_vnni", "bf16", "i8mm"].filter(features.contains)
        let with = more.isEmpty ? "" : ", with \(more.joined(separator: ", "))"
        if features.isSuperset(of: ["avx512f", "avx512bw", "avx512dq", "avx512vl"]) {
            return Finding(.ok, "instruction set", "AVX-512\(with)")
        }
        if features.isSuperset(of: ["avx2", "fma"]) { return Finding(.ok, "instruction set", "AVX2\(with)") }
        if features.contains("asimd") { return Finding(.ok, "instruction set", "NEON\(with)") }
        return Finding(
            .warn, "instruction set", "scalar: neither AVX2 with FMA nor NEON",
            advice: "correct, but many times slower; use a newer processor, or pass its features to the virtual machine"
        )
    }

    package static func cores(_ count: Int, threadCount: Int?) -> Finding {
        let text = count == 1 ? "1 core" : "\(count) cores"
        guard let threadCount, threadCount > count else { return Finding(.ok, "cores", text) }
        return Finding(
            .warn, "cores", "\(text) for \(threadCount) compute threads of the cluster file",
            advice: "ranks will wait for each other; use fewer ranks or fewer threads a rank")
    }

    package static func memory(info: String) -> Finding {
        let available = info.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
            .flatMap { $0.split(separator: " ").dropFirst().first }.flatMap { Int($0) }
        guard let available else { return Finding(.warn, "memory", "/proc/meminfo does not say how much is available") }
        let text = "\(available >> 10) MiB available"
        if available >= 1 << 20 { return Finding(.ok, "memory", text) }
        return Finding(.warn, "memory", text, advice: "the demo needs about 1 GiB; end other programs")
    }

    private static func sharedMemory() -> Finding {
        let descriptor = heddle_memory_create("heddle-doctor", 8 << 20)
        guard descriptor >= 0 else {
            return Finding(
                .fail, "shared memory", "memfd_create failed: \(String(cString: strerror(-descriptor)))",
                advice: "allow memfd_create (a sandbox may forbid it), or set collective: zeromq")
        }
        close(descriptor)
        let watch = heddle_pidfd_open(getpid())
        guard watch >= 0 else {
            return Finding(
                .fail, "shared memory", "pidfd_open failed: \(String(cString: strerror(-watch)))",
                advice: "use Linux 5.4 or newer")
        }
        close(watch)
        return Finding(.ok, "shared memory", "memfd and pidfd work")
    }

    private static func openFiles() -> Finding {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        if limit.rlim_cur >= 1024 { return Finding(.ok, "open files", "\(limit.rlim_cur) allowed") }
        return Finding(
            .warn, "open files", "only \(limit.rlim_cur) allowed", advice: "ulimit -n 4096; a router needs one a client"
        )
    }

    private static func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
}
