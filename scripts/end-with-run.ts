// Vitest's workers outlive a run that is killed. Without this, so do the servers that their tests started.
process.once('disconnect', () => process.exit())
