// For counts and latencies of a cache, for people, Prometheus and OpenTelemetry. Not implemented yet.
export {}
