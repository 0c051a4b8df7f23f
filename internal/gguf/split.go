package gguf

import (
	"fmt"
	"iter"
	"strconv"
	"strings"
)

// SplitName is the name of one file of a model that is split: Base-00001-of-00003.gguf.
type SplitName struct {
	Base  string
	No    int // counted from 1, unlike the key split.no
	Count int
}

// ParseSplitName reads the name of a split file; a folder before it stays in Base.
func ParseSplitName(name string) (SplitName, bool) {
	const tail = len("-00001-of-00003")
	stem, ok := strings.CutSuffix(name, ".gguf")
	if !ok || len(stem) <= tail || strings.HasSuffix(stem[:len(stem)-tail], "/") {
		return SplitName{}, false
	}
	s := SplitName{Base: stem[:len(stem)-tail]}
	no, count, ok := strings.Cut(stem[len(s.Base):], "-of-")
	if !ok || !strings.HasPrefix(no, "-") {
		return SplitName{}, false
	}
	s.No, s.Count = five(no[1:]), five(count)
	return s, 1 <= s.No && s.No <= s.Count
}

// five reads exactly five digits, else -1.
func five(s string) int {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || len(s) != 5 {
		return -1
	}
	return int(n)
}

// String is the name of the file.
func (s SplitName) String() string { return fmt.Sprintf("%s-%05d-of-%05d.gguf", s.Base, s.No, s.Count) }

// All yields the names of all files of the model, in order. A name can promise 99,999 files: ask for them one by one.
func (s SplitName) All() iter.Seq[SplitName] {
	return func(yield func(SplitName) bool) {
		for no := range s.Count {
			if !yield(SplitName{s.Base, no + 1, s.Count}) {
				return
			}
		}
	}
}

// Split says which part of a split model a file is.
type Split struct {
	No      uint64 // counted from 0
	Count   uint64 // files
	Tensors uint64 // of all files together
}

// Split reads the keys of a split model; ok is false for a model in one file.
func (h *Header) Split() (s Split, ok bool, err error) {
	for _, k := range []struct {
		key string
		to  *uint64
	}{{"split.count", &s.Count}, {"split.no", &s.No}, {"split.tensors.count", &s.Tensors}} {
		n, found, err := h.Uint(k.key)
		if err != nil {
			return Split{}, false, err
		}
		if !found && k.key == "split.count" {
			return Split{}, false, nil
		}
		*k.to = n
	}
	if s.Count <= 1 {
		return Split{}, false, nil
	}
	if s.No >= s.Count {
		return Split{}, false, fmt.Errorf("split.no is %d, want less than split.count, %d", s.No, s.Count)
	}
	return s, true, nil
}
