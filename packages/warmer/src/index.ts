// For loading entries before anyone asks for them. Not implemented yet.
export {}
