package bench

import (
	"strconv"
	"strings"
)

// Division is how many ranks share the weights of a layer, the layers, the experts, and the requests. 0 is not said.
type Division struct{ Tensor, Pipeline, Expert, Data int }

// ParseDivision reads how a publisher writes it: TP4, TP8PP1, "TP4 moeTP1 EP4", DEP8 (attention by requests, experts by
// number), "layer split" and "row split" over the GPUs of llama.cpp. Anything else says nothing.
func ParseDivision(text string, gpus int) Division {
	var d Division
	for word := range strings.FieldsSeq(text) {
		d.read(word)
	}
	switch {
	case d != Division{} || gpus < 2:
	case strings.Contains(text, "layer"):
		d.Pipeline = gpus
	case strings.Contains(text, "row"):
		d.Tensor = gpus
	}
	return d
}

// read takes one word apart: letters and a number, once or more.
func (d *Division) read(word string) {
	for word != "" {
		letters := strings.IndexFunc(word, isDigit)
		if letters < 1 {
			return
		}
		number := len(word) - len(strings.TrimLeftFunc(word[letters:], isDigit))
		d.set(word[:letters], small(word[letters:number]))
		word = word[number:]
	}
}

func (d *Division) set(letters string, n int) {
	switch letters {
	case "TP":
		d.Tensor = n
	case "PP":
		d.Pipeline = n
	case "EP":
		d.Expert = n
	case "DP":
		d.Data = n
	case "DEP":
		d.Tensor, d.Expert, d.Data = 1, n, n
	}
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

// small is the number, or 0 where it has more digits than any cluster has GPUs.
func small(digits string) int {
	if len(digits) > 6 {
		return 0
	}
	n := 0
	for _, c := range digits {
		n = 10*n + int(c-'0')
	}
	return n
}

// String writes what is said, as ParseDivision reads it.
func (d Division) String() string {
	var parts []string
	for _, p := range []struct {
		name string
		n    int
	}{{"TP", d.Tensor}, {"PP", d.Pipeline}, {"EP", d.Expert}, {"DP", d.Data}} {
		if p.n > 0 {
			parts = append(parts, p.name+strconv.Itoa(p.n))
		}
	}
	return strings.Join(parts, " ")
}
