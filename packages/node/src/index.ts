// For caching the nodes of a workflow. Not implemented yet.
export {}
