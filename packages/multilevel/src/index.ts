// For a store made of stores, with any number of tiers. Not implemented yet.
export {}
