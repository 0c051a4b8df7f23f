// Package weights tells by content which container a file of weights is. Names lie: a pickle called model.safetensors
// runs code in whoever believes the name, and a scanner that trusts one reading of a file is passed by a file that has
// two (ReversingLabs, "nullifAI", 2025; promptfoo/modelaudit#1612).
package weights

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// Kind is a container of weights.
type Kind int

// The containers that are told apart.
const (
	Unknown Kind = iota
	Safetensors
	GGUF
	Pickle   // Python's; loading it runs code
	Zip      // of PyTorch, holding a pickle; or any other archive
	SevenZip // seen around a pickle, to pass scanners that know zip only
	Pointer  // a text of Git LFS in the place of the file
)

func (k Kind) String() string {
	return [...]string{
		"unknown", "safetensors", "GGUF", "pickle", "zip archive", "7z archive", "Git LFS pointer",
	}[k]
}

// Head is how many of the first bytes Sniff and Kinds want, Tail how many of the last ones Kinds wants.
const (
	Head = 512
	Tail = 22 + 1<<16 // the longest end record of a zip archive
)

// maxHeader is the longest header that the safetensors format allows.
const maxHeader = 100_000_000

// Sniff tells the container by the first bytes of a file (Head of them, or all there are).
func Sniff(first []byte) Kind {
	return Kinds(first, nil)[0]
}

// Kinds is every container that readers would take the file for: more than one is a file made to be read in two ways,
// and Unknown stands alone. It judges by the first bytes and, unless last is nil, by the last: a zip archive is found
// from its end, and may follow after any other file.
func Kinds(first, last []byte) []Kind {
	var kinds []Kind
	for _, c := range []struct {
		kind Kind
		is   bool
	}{
		{GGUF, bytes.HasPrefix(first, []byte("GGUF"))},
		{Zip, bytes.HasPrefix(first, []byte("PK\x03\x04"))},
		{SevenZip, bytes.HasPrefix(first, []byte("7z\xbc\xaf\x27\x1c"))},
		{Pointer, bytes.HasPrefix(first, []byte("version https://git-lfs.github.com/spec/"))},
		{Safetensors, isSafetensors(first)},
		{Pickle, isPickle(first)},
		{Zip, endsZip(last)},
	} {
		if c.is && !slices.Contains(kinds, c.kind) {
			kinds = append(kinds, c.kind)
		}
	}
	if len(kinds) == 0 {
		return []Kind{Unknown}
	}
	return kinds
}

// isSafetensors wants a possible length and the brace that the format prescribes after it.
func isSafetensors(first []byte) bool {
	if len(first) < 9 || first[8] != '{' {
		return false
	}
	n := binary.LittleEndian.Uint64(first)
	return 2 <= n && n <= maxHeader
}

// isPickle wants the protocol byte of versions 2 to 5 and opcodes behind it as far as the bytes go. The opcodes matter:
// the length of one safetensors header in 2048 begins with 0x80 and 2 to 5, but a zero byte is no opcode.
func isPickle(first []byte) bool {
	if len(first) < 3 || first[0] != 0x80 || first[1] < 2 || first[1] > 5 {
		return false
	}
	for i := 2; i < len(first); {
		op := first[i]
		if op == '.' {
			return true
		}
		n, ok := pickleArgument(op, first[i+1:])
		if !ok {
			return false
		}
		i += 1 + n
	}
	return true
}

// Opcodes of the pickle protocols 0 to 5, by the form of their argument (CPython Lib/pickletools.py).
const (
	opsPlain  = "(012NQR)]abdelostu}\x81\x85\x86\x87\x88\x89\x8f\x90\x91\x92\x93\x94\x97\x98"
	opsLine   = "FILSVPgp"
	opsTwo    = "ci" // two lines
	opsByte   = "Khq\x80\x82"
	opsShort  = "M\x83"
	opsWord   = "Jjr\x84"
	opsLong   = "G\x95"
	opsString = "UC\x8c\x8a"   // length in 1 byte
	opsText   = "TXB\x8b"      // in 4
	opsHuge   = "\x8d\x8e\x96" // in 8
)

// pickleArgument is the length of the argument of an opcode; at most as far as the bytes go.
func pickleArgument(op byte, rest []byte) (int, bool) {
	is := func(ops string) bool { return bytes.IndexByte([]byte(ops), op) >= 0 }
	switch {
	case is(opsPlain):
		return 0, true
	case is(opsByte):
		return 1, true
	case is(opsShort):
		return 2, true
	case is(opsWord):
		return 4, true
	case is(opsLong):
		return 8, true
	case is(opsString):
		return counted(rest, 1), true
	case is(opsText):
		return counted(rest, 4), true
	case is(opsHuge):
		return counted(rest, 8), true
	case is(opsLine):
		return lines(rest, 1), true
	case is(opsTwo):
		return lines(rest, 2), true
	}
	return 0, false
}

// counted is the length of an argument that begins with its length in width bytes.
func counted(rest []byte, width int) int {
	if len(rest) < width {
		return len(rest)
	}
	var n [8]byte
	copy(n[:], rest[:width])
	return width + int(min(binary.LittleEndian.Uint64(n[:]), uint64(len(rest)-width)))
}

// lines is the length of an argument of n lines.
func lines(rest []byte, n int) int {
	at := 0
	for range n {
		i := bytes.IndexByte(rest[at:], '\n')
		if i < 0 {
			return len(rest)
		}
		at += i + 1
	}
	return at
}

// endsZip looks for the end record of a zip archive whose comment reaches to the end of the file.
func endsZip(last []byte) bool {
	for end := len(last); ; {
		i := bytes.LastIndex(last[:end], []byte("PK\x05\x06"))
		if i < 0 {
			return false
		}
		if record := last[i:]; len(record) >= 22 && 22+int(binary.LittleEndian.Uint16(record[20:])) == len(record) {
			return true
		}
		end = i
	}
}
