//go:build race

package diligence

// slower is how many times longer the race detector lets everything take.
const slower = 15
