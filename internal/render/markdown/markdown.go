// Package markdown writes documents for a pull request: a table of verdicts, then each report with its duties as a
// checklist. No link, image, heading, mention or HTML can come from the data.
package markdown

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/report"
)

var marks = map[string]string{"allowed": "✅", "conditional": "⚠️", "undetermined": "❓", "prohibited": "⛔"}

// Render writes the documents.
func Render(w io.Writer, docs []*report.Document) error {
	var b bytes.Buffer
	out := &writer{&b}
	if len(docs) > 1 {
		out.summary(docs)
	}
	for i, d := range docs {
		if i > 0 || len(docs) > 1 {
			out.printf("\n")
		}
		if d.License != nil {
			out.license(d)
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

type writer struct{ b *bytes.Buffer }

func (w *writer) printf(format string, args ...any) { fmt.Fprintf(w.b, format, args...) }

// escaped are the characters that mean something to Markdown or HTML inside a line.
var escaped = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "{", `\{`, "}", `\}`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "&", "&amp;",
	"#", `\#`, "|", `\|`, "~", `\~`, "!", `\!`, "$", `\$`,
	"@", "@\u200b", "://", ":\u200b//", "www.", "www\u200b.",
)

// inline makes foreign text safe inside a line: nothing of it is markup, no one is paged, nothing becomes a link.
func inline(s string) string {
	return escaped.Replace(strings.Join(strings.Fields(printable.Line(s)), " "))
}

// code shows text word for word, in a fence that is longer than any run of backticks in it.
func code(s string) string {
	s = strings.Join(strings.Fields(printable.Line(s)), " ")
	run, longest := 0, 0
	for _, r := range s {
		if r != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	if s == "" {
		return ""
	}
	fence := strings.Repeat("`", longest+1)
	pad := ""
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		pad = " "
	}
	return fence + pad + strings.ReplaceAll(s, "|", `\|`) + pad + fence
}

func (w *writer) summary(docs []*report.Document) {
	s := report.Summarize(docs)
	w.printf("## License check: %d prohibited, %d undetermined, %d conditional, %d allowed\n\n", s.Prohibited, s.Undetermined,
		s.Conditional, s.Allowed)
	w.printf("| | model | verdict | license |\n|---|---|---|---|\n")
	for _, d := range docs {
		if d.License != nil {
			w.printf("| %s | %s | %s | %s |\n", marks[d.License.Outcome], code(d.Subject.Ref), d.License.Outcome,
				inline(strings.Join(d.License.Effective, ", ")))
		}
	}
}

func (w *writer) license(d *report.Document) {
	l := d.License
	w.printf("### %s %s: %s\n\n%s\n", marks[l.Outcome], code(d.Subject.Ref), l.Outcome, inline(l.Summary))
	for _, a := range l.Use.Assumed {
		w.printf("\n_Assumed: %s._\n", inline(a))
	}
	w.reasons(l)
	w.duties(l)
	w.thresholds(l)
	w.list("Answer to decide", len(l.Questions), func(i int) string {
		return "`" + l.Questions[i].Flag + "` " + inline(l.Questions[i].Text)
	})
	w.list("What would change the verdict", len(l.Changes), func(i int) string {
		return "**" + l.Changes[i].Outcome + "** " + inline(l.Changes[i].Text)
	})
	w.lineage(l)
	w.evidence(d)
	w.printf("\n<sub>%s %s</sub>\n", inline(l.Disclaimer), inline(checked(d.Tool)))
}

func checked(t report.Tool) string {
	if t.Catalog == "" {
		return ""
	}
	return "License facts as checked on " + t.Catalog + "."
}

func (w *writer) list(title string, n int, item func(int) string) {
	if n == 0 {
		return
	}
	w.printf("\n**%s**\n\n", title)
	for i := range n {
		w.printf("- %s\n", item(i))
	}
}

func (w *writer) reasons(l *report.License) {
	list := slices.DeleteFunc(slices.Clone(l.Reasons), func(r report.Reason) bool {
		return r.Code == "duty" || r.Outcome == "allowed" && l.Outcome != "allowed"
	})
	w.list("Why", len(list), func(i int) string {
		r := list[i]
		s := "**" + r.Outcome + "** " + inline(r.Text)
		if r.License != "" {
			s += " — " + inline(r.License)
		}
		if r.Clause != "" {
			s += ", clause " + inline(r.Clause)
		}
		if len(r.Evidence) > 0 {
			s += " (" + inline(strings.Join(r.Evidence, "; ")) + ")"
		}
		return s
	})
}

func (w *writer) duties(l *report.License) {
	if len(l.Duties) == 0 {
		return
	}
	w.printf("\n**Duties**\n\n")
	for _, d := range l.Duties {
		w.printf("- [ ] %s", inline(d.Text))
		if d.Exact != "" && !strings.Contains(d.Text, d.Exact) {
			w.printf(": %s", code(d.Exact))
		}
		if d.When != "" {
			w.printf(" _(%s)_", inline(d.When))
		}
		w.printf(" — %s", inline(d.License))
		if d.Clause != "" {
			w.printf(", clause %s", inline(d.Clause))
		}
		w.printf("\n")
	}
}

func (w *writer) thresholds(l *report.License) {
	if len(l.Thresholds) == 0 {
		return
	}
	w.printf("\n| standing | limit | then | clause |\n|---|---|---|---|\n")
	for _, t := range l.Thresholds {
		w.printf("| %s | %s | %s | %s %s |\n", inline(t.Standing), inline(t.Text), inline(t.Effect), inline(t.License), inline(t.Clause))
	}
}

func (w *writer) lineage(l *report.License) {
	w.list("Base models", len(l.Lineage), func(i int) string {
		a := l.Lineage[i]
		return fmt.Sprintf("**%s** %s (%s), %s — %s", a.Outcome, code(a.Ref), inline(a.Relation), inline(a.License), inline(a.Source))
	})
}

func (w *writer) evidence(d *report.Document) {
	l := d.License
	if len(l.Matches)+len(l.Claims)+len(d.Gaps)+len(l.Passages) == 0 {
		return
	}
	w.printf("\n<details><summary>Evidence</summary>\n")
	w.list("Texts", len(l.Matches), func(i int) string {
		m := l.Matches[i]
		return fmt.Sprintf("%s: %s %s%s", code(place(m)), m.Relation, inline(m.ID), coverage(m))
	})
	w.list("Claims", len(l.Claims), func(i int) string {
		c := l.Claims[i]
		return fmt.Sprintf("%s, %s: %s → %s", inline(c.Origin), code(c.Where), code(c.Value), inline(orElse(c.ID, "not recognized")))
	})
	w.list("Sentences to read first", len(l.Passages), func(i int) string {
		p := l.Passages[i]
		return fmt.Sprintf("%s, %s line %d: %s", inline(p.Topic), code(p.File), p.StartLine, inline(p.Quote))
	})
	w.list("Not found or not read", len(d.Gaps), func(i int) string {
		g := d.Gaps[i]
		return fmt.Sprintf("%s: %s (%s)", inline(g.What), inline(g.Why), g.Kind)
	})
	w.printf("\n</details>\n")
}

func place(m report.Match) string {
	if m.StartLine == 0 {
		return m.File
	}
	return fmt.Sprintf("%s:%d-%d", m.File, m.StartLine, m.EndLine)
}

func coverage(m report.Match) string {
	if m.LicenseCoverage == nil || m.TextCoverage == nil {
		return ""
	}
	return fmt.Sprintf(" (%.1f %% of the license, %.1f %% of the file)", 100**m.LicenseCoverage, 100**m.TextCoverage)
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
