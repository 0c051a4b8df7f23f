//go:build race

package safetensors_test

const raceDetector = true
