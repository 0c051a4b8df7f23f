package report

// Answer is the whole answer in a few words: whether the plan fits, and whether it keeps up with what is asked of it.
type Answer struct {
	Text    string // "fits, but too slow"
	Verdict string // fits, tight, does_not_fit, undetermined: the worse of both
}

// Answer says both verdicts in one. Where the memory does not suffice, or is not known, that is all there is to say.
func (e *Estimate) Answer() Answer {
	fit, st := e.Word(), e.Speed.Standing()
	switch {
	case e.Unserved():
		return Answer{"no plan serves it", DoesNotFit}
	case fit == DoesNotFit || fit == Undetermined || st.Word == "":
		return Answer{Spoken(fit), fit}
	case st.Verdict == Fits && fit == Fits:
		return Answer{"meets its targets", Fits}
	}
	return Answer{Spoken(fit) + pacing(fit, e.Speed, st), worse(fit, st.Verdict)}
}

// pacing is what is said of speed behind the verdict on memory.
func pacing(fit string, s *Speed, st Standing) string {
	link := ", but "
	if fit == Tight && st.Verdict != Fits {
		link = ", and "
	}
	switch {
	case s.Saturated:
		return link + "saturated"
	case st.Verdict == Fits:
		return link + "meets its targets"
	case st.Verdict == DoesNotFit:
		return link + "too slow"
	case st.Word == "perhaps saturated":
		return ", perhaps saturated"
	case st.Verdict == Tight:
		return ", perhaps too slow"
	}
	return ", speed not known"
}

// worse is the stricter of two verdicts. What is open is worse than what is tight, and better than what fails.
func worse(a, b string) string {
	for _, v := range [...]string{DoesNotFit, Undetermined, Tight} {
		if a == v || b == v {
			return v
		}
	}
	return Fits
}
