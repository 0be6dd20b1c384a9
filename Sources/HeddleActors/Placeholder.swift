// Replaced by the first real file of HeddleActors.
