package markdown

import (
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/printable"
)

func TestInline(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"words stay", `Show "Built with Llama", 30 days' notice`, `Show "Built with Llama", 30 days' notice`},
		{"emphasis", "*a* _b_", `\*a\* \_b\_`},
		{"HTML", "<script>x</script>", "&lt;script&gt;x&lt;/script&gt;"},
		{"an entity is shown as it is", "&#60;b&#62;", "`&#60;b&#62`;"},
		{"a link", "[a](b)", `\[a\](b)`},
		{"an address", "see https://x.example/a.", "see `https://x.example/a`."},
		{"a mention", "ask @octocat", "ask `@octocat`"},
		{"an issue", "as in #12", "as in `#12`"},
		{"a merge request", "as in !12", "as in `!12`"},
		{"an exclamation", "no!", `no\!`},
		{"a picture by name", ":shipit:", "`:shipit:`"},
		{"a time is no picture", "at 12:30", "at 12:30"},
		{"a commit", "deadbeef1", "`deadbeef1`"},
		{"a word of hexadecimal letters", "effaced", "effaced"},
		{"a formula", "$x$", "`$x$`"},
		{"a bar", "a | b", "a &#124; b"},
		{"a list", "- a", `\- a`},
		{"a number", "1. a", `1\. a`},
		{"a number within", "clause 1.", "clause 1."},
		{"a rule", "---", `\---`},
		{"lines become one", "a\nb", `a\\nb`},
		{"a command", "::error::x", "`:\\:error::x`"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := inline(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCode(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"plain", "a b", "`a b`"},
		{"a backtick", "a`b", "``a`b``"},
		{"backticks at the edge", "``a`", "``` ``a` ```"},
		{"nothing else is special", "<b> | @x *y* \\", "`<b> | @x *y* \\`"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := code(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if got := cell(code(`a\|b`)); strings.Contains(got, "|") {
		t.Errorf("%q ends a cell", got)
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "`", "``a`", "@x #1 <b>", "- a", "1. b", "[a](b)", "\x1b[0m", "a|b\\|c", "##[x", "a``` ```` b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, got := range map[string]string{"inline": inline(s), "code": code(s), "tag": tag(s), "cell": cell(code(s))} {
			for _, r := range got {
				if printable.Hidden(r) {
					t.Errorf("%s: %q holds %U", name, got, r)
				}
			}
			if strings.HasPrefix(strings.TrimSpace(got), "::") {
				t.Errorf("%s: %q is a command", name, got)
			}
		}
		fenced(t, code(s))
		if strings.ContainsAny(tag(s), "<>\"'") || strings.Contains(cell(code(s))+inline2(s), "|") {
			t.Errorf("%q leaves its place", s)
		}
	})
}

// inline2 is inline without code spans, in which a bar is allowed outside tables.
func inline2(s string) string {
	if strings.Contains(inline(s), "`") {
		return ""
	}
	return inline(s)
}

// fenced checks that a code span ends where it should: no run of backticks inside is as long as the fence.
func fenced(t *testing.T, span string) {
	t.Helper()
	if span == "" {
		return
	}
	fence := len(span) - len(strings.TrimLeft(span, "`"))
	body := strings.TrimLeft(span, "`")
	if !strings.HasSuffix(body, strings.Repeat("`", fence)) {
		t.Fatalf("%q does not end", span)
	}
	body = body[:len(body)-fence]
	if strings.Contains(body, strings.Repeat("`", fence)) {
		t.Errorf("%q ends early", span)
	}
}
