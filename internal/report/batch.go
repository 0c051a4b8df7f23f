package report

// Batch is several answers to one question, in the order in which they were asked for.
type Batch struct {
	Schema    string      `json:"schema"`
	Summary   Summary     `json:"summary"`
	Documents []*Document `json:"documents"`
}

// BatchSchema is the version of Batch.
const BatchSchema = "llmcheck.reports/1"

// Summary counts the outcomes of several documents.
type Summary struct {
	Total        int `json:"total"`
	Allowed      int `json:"allowed"`
	Conditional  int `json:"conditional"`
	Undetermined int `json:"undetermined"`
	Prohibited   int `json:"prohibited"`
}

// Summarize counts outcomes.
func Summarize(docs []*Document) Summary {
	s := Summary{Total: len(docs)}
	for _, d := range docs {
		if d.License == nil {
			continue
		}
		switch Outcome(d.License.Outcome) {
		case "allowed":
			s.Allowed++
		case "conditional":
			s.Conditional++
		case "prohibited":
			s.Prohibited++
		default:
			s.Undetermined++
		}
	}
	return s
}
