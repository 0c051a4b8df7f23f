package text

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmcheck/llmcheck/internal/report"
)

func TestTable(t *testing.T) {
	table := report.Table{
		Columns: []report.Column{{Name: "verdict"}, {Name: "on"}, {Name: "at once", Number: true}},
		Rows: []report.Row{
			{Verdict: "fits", Cells: []string{"fits", "1 x a card with a very long name", "12.5"}},
			{Verdict: "tight", Cells: []string{"tight", "流れ", "1"}, Notes: []string{"because it is tight"}},
		},
	}
	for _, tt := range []struct {
		name  string
		width int
		want  []string
	}{
		{"there is room", 80, []string{
			"  verdict  on                                at once",
			"  fits     1 x a card with a very long name     12.5",
			"  tight    流れ                                    1",
			"      because it is tight",
		}},
		{"words are wrapped", 40, []string{
			"  verdict  on                    at once",
			"  fits     1 x a card with a        12.5",
			"           very long name",
			"  tight    流れ                        1",
			"      because it is tight",
		}},
		{"it is too narrow", 30, []string{
			"  fits    on: 1 x a card with",
			"          a very long name; at",
			"          once: 12.5",
			"  tight   on: 流れ; at once: 1",
			"            because it is",
			"            tight",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &printer{page: Page{Width: tt.width}}
			p.table(table)
			if diff := cmp.Diff(tt.want, strings.Split(strings.TrimSuffix(p.b.String(), "\n"), "\n")); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}
