// Package filename judges names of files that come from a server, an archive or a file written by a stranger. It is the
// one door: until Check has accepted a name, the name is a key and nothing else.
//
// The rules of POSIX and of Windows hold on every system, because a name that is harmless here is stored, logged and
// downloaded again elsewhere. Downloaders that checked by the rules of the system they ran on were escaped from again
// and again (huggingface_hub #1429, #3896, #4540, #4828).
package filename

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxLen is the longest name accepted, in bytes; MaxElement the longest between two slashes, as file systems have it.
const (
	MaxLen     = 1024
	MaxElement = 255
)

// Check accepts a relative name with slashes, such as "model.safetensors" or "onnx/model.onnx", that stays in the
// folder it is opened from on every system. The error says what is wrong, without the name.
func Check(name string) error {
	switch {
	case name == "":
		return errors.New("is empty")
	case len(name) > MaxLen:
		return fmt.Errorf("is longer than %d bytes", MaxLen)
	case !utf8.ValidString(name):
		return errors.New("is not valid UTF-8")
	case strings.ContainsRune(name, '\\'):
		return errors.New("contains a backslash, which Windows takes for a separator")
	case strings.HasPrefix(name, "//"):
		return errors.New("begins like a network share")
	case strings.HasPrefix(name, "/"):
		return errors.New("is absolute")
	}
	if err := checkCharacters(name); err != nil {
		return err
	}
	for element := range strings.SplitSeq(name, "/") {
		if err := checkElement(element); err != nil {
			return err
		}
	}
	return nil
}

func checkCharacters(name string) error {
	for _, r := range name {
		switch {
		case r < 0x20 || r == 0x7f || 0x80 <= r && r < 0xa0:
			return fmt.Errorf("contains the control character %#02x", r)
		case r == ':':
			return errors.New("contains a colon, which Windows takes for a drive or a stream")
		case strings.ContainsRune(`<>"|?*`, r):
			return fmt.Errorf("contains %q, which Windows does not allow", r)
		}
	}
	return nil
}

func checkElement(element string) error {
	switch {
	case element == "":
		return errors.New("contains an empty element: two slashes in a row, or one at the end")
	case element == ".." || element == ".":
		return fmt.Errorf("contains the element %q", element)
	case len(element) > MaxElement:
		return fmt.Errorf("contains an element longer than %d bytes", MaxElement)
	case strings.HasSuffix(element, ".") || strings.HasSuffix(element, " "):
		return errors.New("contains an element that ends in a dot or a blank, which Windows drops")
	case reserved(element):
		return fmt.Errorf("contains the element %q, which is a device on Windows", element)
	}
	return nil
}

// reserved reports names that Windows opens as a device in any folder, with any extension and in any case. Digits may
// also be the superscripts 1, 2 and 3.
func reserved(element string) bool {
	stem, _, _ := strings.Cut(element, ".")
	stem = strings.ToUpper(strings.TrimRight(stem, " "))
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	port, isCom := strings.CutPrefix(stem, "COM")
	if !isCom {
		rest, isLpt := strings.CutPrefix(stem, "LPT")
		if !isLpt {
			return false
		}
		port = rest
	}
	return utf8.RuneCountInString(port) == 1 && strings.ContainsAny(port, "0123456789¹²³")
}
