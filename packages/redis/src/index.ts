// For a store, leases and an invalidation log over Redis. Not implemented yet.
export {}
