// Package jsondoc writes documents as JSON, the format that loses nothing and that scripts rely on.
//
// Strings stay what they were, but no control character reaches a terminal or a log through them: what JSON would print
// raw (DEL, C1 controls, bidirectional and zero-width characters) is written as \u escapes, which decode to the same, and
// so is the second of two number signs, with which CI runners let a command begin anywhere on a line.
package jsondoc

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/report"
)

//go:embed schema.json
var schema []byte

// Schema is the JSON schema (draft 2020-12) of what Render and RenderLines write.
func Schema() []byte { return bytes.Clone(schema) }

// Render writes one document, or a batch if there are several.
func Render(w io.Writer, docs []*report.Document) error {
	if len(docs) == 1 {
		return write(w, docs[0].Complete(), "  ")
	}
	b := report.Batch{Schema: report.BatchSchema, Summary: report.Summarize(docs), Documents: make([]*report.Document, len(docs))}
	for i, d := range docs {
		b.Documents[i] = d.Complete()
	}
	return write(w, b, "  ")
}

// RenderLines writes one document a line.
func RenderLines(w io.Writer, docs []*report.Document) error {
	var b bytes.Buffer
	for _, d := range docs {
		if err := write(&b, d.Complete(), ""); err != nil {
			return err
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

func write(w io.Writer, v any, indent string) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	_, err := w.Write(escape(b.Bytes()))
	return err
}

// escape rewrites hidden characters, which can stand only inside strings, as \u escapes.
func escape(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		switch {
		case r == '#' && i > 0 && b[i-1] == '#':
			out = append(out, `\u0023`...)
		case r < 0x20 || !printable.Hidden(r): // the encoder has escaped controls; what is left is its own layout
			out = append(out, b[i:i+n]...)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, hi, lo)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		i += n
	}
	return out
}
