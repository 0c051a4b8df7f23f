package model

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"unicode/utf16"
)

// readTexts reads the files with terms, and names those in formats that are not read.
func (r *reader) readTexts() {
	for _, e := range r.tree.byClass[sealed] {
		r.file(File{Path: e.path, Size: e.size})
		r.gap(Unread, e.path, "its format is not read; save it as text beside it, or read it yourself")
	}
	left := int64(maxAllText)
	for i, e := range r.tree.byClass[termsFile] {
		if i == maxTexts || left <= 0 {
			r.gap(Unread, e.path, "it and %d more files with terms were not read: more than %d files or %d bytes",
				len(r.tree.byClass[termsFile])-i-1, maxTexts, maxAllText)
			return
		}
		left -= r.readText(e, min(MaxText, left))
	}
}

// readText reads one file and returns how many bytes it took.
func (r *reader) readText(e entry, limit int64) int64 {
	data, cut, ok := r.load(e, limit)
	if !ok {
		return int64(len(data))
	}
	sum := sha256.Sum256(data)
	text := Text{Path: e.path, Kind: e.kind, Data: plain(data), Cut: cut, SHA256: hex.EncodeToString(sum[:])}
	switch reason := cmp.Or(unreadable(text.Data), signIn(text.Data)); {
	case len(bytes.TrimSpace(data)) == 0:
		r.gap(Absent, e.path, "the file is empty")
		return 0
	case reason != "":
		r.gap(Unread, e.path, "%s", reason)
		return int64(len(data))
	}
	if cut {
		r.gap(Unread, e.path, "it is longer than %d bytes, and only these were read", limit)
	}
	if !cut {
		last := &r.m.Files[len(r.m.Files)-1] // load has noted the file
		last.Size, last.SHA256 = int64(len(data)), text.SHA256
	}
	r.m.Texts = append(r.m.Texts, text)
	return int64(len(data))
}

// unreadable says why data is not a text, or nothing.
func unreadable(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("%PDF-")):
		return "it is a PDF, which is not read; save it as text beside it, or read it yourself"
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return "it is an archive or an office document, which is not read; save it as text beside it, or read it yourself"
	case bytes.IndexByte(data[:min(len(data), 8000)], 0) >= 0:
		return "it is not a text"
	}
	return ""
}

// signIn says why data is a page of a portal that was stored in the place of the file, or nothing. Terms that are
// written in HTML have neither a form nor such a title.
func signIn(data []byte) string {
	head := bytes.ToLower(bytes.TrimSpace(data[:min(len(data), 64<<10)]))
	if !bytes.HasPrefix(head, []byte("<!doctype html")) && !bytes.HasPrefix(head, []byte("<html")) {
		return ""
	}
	_, title, _ := bytes.Cut(head, []byte("<title"))
	title, _, _ = bytes.Cut(title, []byte("</title"))
	if bytes.Contains(head, []byte(`type="password"`)) || bytes.Contains(head, []byte("type=password")) ||
		containsAny(string(title), "sign in", "sign-in", "log in", "login", "not found", "forbidden", "access denied", "error",
			"just a moment", "captcha") {
		return "it is a web page that asks to sign in or tells of an error, and not the terms; fetch the file again"
	}
	return ""
}

// plain turns UTF-16, which editors on Windows write, into UTF-8. Other bytes stay as they are.
func plain(data []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		order = binary.LittleEndian
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		order = binary.BigEndian
	default:
		return data
	}
	units := make([]uint16, 0, len(data)/2)
	for i := 2; i+1 < len(data); i += 2 {
		units = append(units, order.Uint16(data[i:]))
	}
	return []byte(string(utf16.Decode(units)))
}
