//go:build !race

package safetensors_test

// raceDetector says that time and memory of a test are not those of the program.
const raceDetector = false
