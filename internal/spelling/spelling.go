// Package spelling tells how far a word that somebody typed is from one that is known, so that an error can say what was
// meant. Which words are known, and how far is too far, is for others to say.
package spelling

// Slips counts the slips of the fingers between two words: one byte too much, too few or another, or two exchanged. It
// takes time for every pair of bytes, so what strangers may make long is cut first.
func Slips(a, b string) int {
	two, one, now := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range one {
		one[j] = j
	}
	for i := 1; i <= len(a); i++ {
		now[0] = i
		for j := 1; j <= len(b); j++ {
			differs := 1
			if a[i-1] == b[j-1] {
				differs = 0
			}
			now[j] = min(one[j]+1, now[j-1]+1, one[j-1]+differs)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				now[j] = min(now[j], two[j-2]+1)
			}
		}
		two, one, now = one, now, two
	}
	return one[len(b)]
}
