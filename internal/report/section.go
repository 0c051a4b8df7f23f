package report

// Section is a part of an answer, in the order in which it is read. Every format shows it with the same words; what is
// empty in it is left out, and so is a section in which all is.
type Section struct {
	Title   string
	Says    []string // paragraphs
	Items   []Item
	Facts   []Fact
	Pile    *Pile
	Chart   *Chart
	Table   Table
	Words   []Fact // a sentence and its source each, or a word and what it means
	Copied  string // text of several lines that is there to be copied
	Below   string
	Looked  bool // what an engineer looks up: text shows it where details are asked for, other formats fold it
	Unknown string
}

// Item is a labeled line.
type Item struct {
	Label   string
	Verdict string // as good or as bad as this, for formats that color
	Text    string
	Code    string // a flag, word for word
}

// Empty reports whether there is nothing to show.
func (s *Section) Empty() bool {
	return len(s.Says)+len(s.Items)+len(s.Facts)+len(s.Table.Rows)+len(s.Words) == 0 && s.Pile == nil && s.Chart == nil && s.Copied == "" &&
		s.Unknown == ""
}

// kept leaves out the sections in which there is nothing.
func kept(list ...Section) []Section {
	var out []Section
	for _, s := range list {
		if !s.Empty() {
			out = append(out, s)
		}
	}
	return out
}

// Head is the first screen of an answer.
type Head struct {
	Answer  Answer
	About   string // "acme/tiny on 8 x NVIDIA H100 SXM"
	On      string // "8 x NVIDIA H100 SXM"
	Summary string
	Glances []string
}
