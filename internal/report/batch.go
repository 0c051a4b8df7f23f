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

	Estimates *Verdicts `json:"estimates,omitempty"` // if any document holds an estimate
	Trainings *Verdicts `json:"trainings,omitempty"` // if any document says what training takes
}

// Verdicts counts the verdicts of several estimates.
type Verdicts struct {
	Fits         int `json:"fits"`
	Tight        int `json:"tight"`
	DoesNotFit   int `json:"does_not_fit"`
	Undetermined int `json:"undetermined"`
}

// Licensed is the number of documents that judge a license.
func (s Summary) Licensed() int { return s.Allowed + s.Conditional + s.Undetermined + s.Prohibited }

// Summarize counts outcomes.
func Summarize(docs []*Document) Summary {
	s := Summary{Total: len(docs)}
	for _, d := range docs {
		if d.Estimate != nil {
			s.Estimates = s.Estimates.plus(d.Estimate.Word())
		}
		if d.Training != nil {
			s.Trainings = s.Trainings.plus(d.Training.Answer().Verdict)
		}
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

func (v *Verdicts) plus(word string) *Verdicts {
	if v == nil {
		v = &Verdicts{}
	}
	switch word {
	case Fits:
		v.Fits++
	case Tight:
		v.Tight++
	case DoesNotFit:
		v.DoesNotFit++
	default:
		v.Undetermined++
	}
	return v
}
