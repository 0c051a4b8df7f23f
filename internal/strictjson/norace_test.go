//go:build !race

package strictjson_test

// raceDetector says that time and memory of a test are not those of the program.
const raceDetector = false
