// For strategies that decide when the origin is read and written. Not implemented yet.
export {}
