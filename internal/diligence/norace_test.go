//go:build !race

package diligence

const slower = 1
