import HeddleActors
import HeddleCore

/// This process's monotonic clock as the cores want it. Shells read it; cores are given it.
func now() -> Instant { CallContext.now }
