package identify

import (
	"bytes"
	"slices"
	"strings"
	"sync"

	"github.com/llmcheck/llmcheck/internal/license/identify/shingle"
)

// phrase is a name of a license as people write it.
type phrase struct {
	words []uint32
	id    string
}

// Names of licenses in running text, one id a line. Of two names that begin alike the longer one counts.
const phraseTable = `
apache-2.0: apache license version 2.0; apache license 2.0; apache software license 2.0; apache 2.0; apache-2.0; asl 2.0; apache license, version 2; apache license v2.0; apache2 license; apache license v2; apache license
mit: mit license; mit licence; the mit license; expat license; license mit; under mit; under the mit; mit licensed
bsd-3-clause: bsd 3-clause; 3-clause bsd; bsd-3-clause; new bsd license; revised bsd license; modified bsd license; bsd 3 clause; bsd-3
bsd-2-clause: bsd 2-clause; 2-clause bsd; bsd-2-clause; simplified bsd license; freebsd license
isc: isc license
zlib: zlib license
bsl-1.0: boost software license
unlicense: the unlicense; unlicense license
gpl-3.0: gnu general public license version 3; gnu general public license v3; gnu general public license v3.0; gnu gpl v3; gnu gplv3; gpl-3.0; gplv3; gpl v3; gpl version 3; gnu gpl version 3; gpl-3.0-only; gpl-3.0-or-later
gpl-2.0: gnu general public license version 2; gnu general public license v2; gnu general public license v2.0; gnu gpl v2; gpl-2.0; gplv2; gpl v2; gpl version 2; gpl-2.0-only; gpl-2.0-or-later
agpl-3.0: gnu affero general public license version 3; gnu affero general public license v3; gnu affero general public license; agpl-3.0; agplv3; agpl v3; agpl-3.0-only; agpl-3.0-or-later
lgpl-3.0: gnu lesser general public license version 3; gnu lesser general public license v3; lgpl-3.0; lgplv3; lgpl v3
lgpl-2.1: gnu lesser general public license version 2.1; lgpl-2.1; lgpl v2.1; lgplv2.1
mpl-2.0: mozilla public license version 2.0; mozilla public license 2.0; mozilla public license v2.0; mozilla public license, v. 2.0; mpl 2.0; mpl-2.0
epl-2.0: eclipse public license 2.0; eclipse public license v2.0; epl-2.0
eupl-1.2: european union public license 1.2; eupl-1.2; eupl v1.2
cc0-1.0: cc0 1.0 universal; cc0 1.0; cc0-1.0; creative commons zero
cc-by-4.0: creative commons attribution 4.0; cc by 4.0; cc-by-4.0; cc-by 4.0; attribution 4.0 international
cc-by-3.0: creative commons attribution 3.0; cc by 3.0; cc-by-3.0; cc-by 3.0
cc-by-sa-4.0: creative commons attribution-sharealike 4.0; creative commons attribution sharealike 4.0; creative commons attribution-share alike 4.0; cc by-sa 4.0; cc-by-sa-4.0; cc-by-sa 4.0
cc-by-sa-3.0: creative commons attribution-sharealike 3.0; cc by-sa 3.0; cc-by-sa-3.0
cc-by-nc-4.0: creative commons attribution-noncommercial 4.0; creative commons attribution noncommercial 4.0; creative commons attribution-non-commercial 4.0; cc by-nc 4.0; cc-by-nc-4.0; cc-by-nc 4.0; attribution-noncommercial 4.0 international
cc-by-nc-sa-4.0: creative commons attribution-noncommercial-sharealike 4.0; cc by-nc-sa 4.0; cc-by-nc-sa-4.0; cc-by-nc-sa 4.0; attribution-noncommercial-sharealike 4.0 international
cc-by-nc-nd-4.0: creative commons attribution-noncommercial-noderivatives 4.0; creative commons attribution-noncommercial-noderivs 4.0; cc by-nc-nd 4.0; cc-by-nc-nd-4.0; cc-by-nc-nd 4.0
cc-by-nd-4.0: creative commons attribution-noderivatives 4.0; cc by-nd 4.0; cc-by-nd-4.0
cdla-permissive-2.0: community data license agreement permissive 2.0; cdla-permissive-2.0; community data license agreement – permissive – version 2.0
odc-by-1.0: odc-by; open data commons attribution license
odbl-1.0: open database license; odbl
ofl-1.1: sil open font license version 1.1; sil open font license, version 1.1; ofl-1.1; sil open font license
llama-2-community: llama 2 community license; llama 2 license; license llama2
llama-3-community: llama 3 community license; meta llama 3 community license; meta llama 3 license; license llama3
llama-3.1-community: llama 3.1 community license; llama 3.1 license; license llama3.1
llama-3.2-community: llama 3.2 community license; llama 3.2 license; license llama3.2
llama-3.3-community: llama 3.3 community license; llama 3.3 license; license llama3.3
llama-4-community: llama 4 community license; llama 4 license; license llama4
deepseek-1.0: deepseek license agreement; deepseek model license
qwen-2024-09-19: qwen license agreement
qwen-research-2024-09-19: qwen research license agreement
tongyi-qianwen-2023-08-03: tongyi qianwen license agreement
mrl-0.1: mistral ai research license; mistral research license
mnpl-0.1: mistral ai non-production license
stability-community-2024-07-05: stability ai community license; stability ai community license agreement
creativeml-openrail-m: creativeml openrail-m; creativeml open rail-m
bigscience-openrail-m: bigscience openrail-m; bigscience open rail-m
bigcode-openrail-m-1: bigcode openrail-m; bigcode open rail-m; bigcode model license agreement
hai-def-2024-11-15: health ai developer foundations terms of use
`

// Addresses of licenses, as shingle.CleanURL leaves them. A line that ends in "*" is a beginning.
const urlTable = `
apache.org/licenses/license-2.0 apache-2.0
opensource.org/licenses/mit-license mit
mit-license.org mit
unlicense.org unlicense
wtfpl.net* wtfpl-2.0
boost.org/license_1_0 bsl-1.0
gnu.org/licenses/gpl-3.0* gpl-3.0
gnu.org/licenses/gpl-2.0* gpl-2.0
gnu.org/licenses/old-licenses/gpl-2.0* gpl-2.0
gnu.org/licenses/agpl-3.0* agpl-3.0
gnu.org/licenses/lgpl-3.0* lgpl-3.0
gnu.org/licenses/old-licenses/lgpl-2.1* lgpl-2.1
mozilla.org/mpl/2.0* mpl-2.0
mozilla.org/en-us/mpl/2.0* mpl-2.0
eclipse.org/legal/epl-2.0* epl-2.0
eclipse.org/legal/epl-v20* epl-2.0
scripts.sil.org/ofl* ofl-1.1
openfontlicense.org* ofl-1.1
opendatacommons.org/licenses/by* odc-by-1.0
opendatacommons.org/licenses/odbl* odbl-1.0
opendatacommons.org/licenses/pddl* pddl-1.0
cdla.dev/permissive-2-0* cdla-permissive-2.0
cdla.dev/permissive-1-0* cdla-permissive-1.0
cdla.dev/sharing-1-0* cdla-sharing-1.0
cdla.io/permissive-1-0* cdla-permissive-1.0
llama.com/llama3_1/license* llama-3.1-community
llama.com/llama3_2/license* llama-3.2-community
llama.com/llama3_3/license* llama-3.3-community
llama.com/llama4/license* llama-4-community
llama.com/llama3/license* llama-3-community
llama.com/llama2/license* llama-2-community
llama.com/license* llama-2-community
llama.meta.com/llama3_1/license* llama-3.1-community
llama.meta.com/llama3/license* llama-3-community
llama.meta.com/llama2/license* llama-2-community
llama.meta.com/license* llama-2-community
ai.meta.com/llama/license* llama-2-community
ai.meta.com/resources/models-and-libraries/llama-downloads* llama-2-community
llama.com/llama3_1/use-policy* llama-3.1-use-policy
llama.com/llama3_2/use-policy* llama-3.2-use-policy
llama.com/llama3_3/use-policy* llama-3.3-use-policy
llama.com/llama4/use-policy* llama-4-use-policy
mistral.ai/licenses/mrl-0.1* mrl-0.1
mistral.ai/licenses/mnpl-0.1* mnpl-0.1
developers.google.com/health-ai-developer-foundations/terms* hai-def-2024-11-15
`

var phrases = sync.OnceValue(func() map[uint32][]phrase {
	m := map[uint32][]phrase{}
	for line := range strings.Lines(phraseTable) {
		id, names, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			continue
		}
		for name := range strings.SplitSeq(names, "; ") {
			text := shingle.Clean([]byte("x " + name + " x"))
			toks, _ := shingle.Words(&text)
			p := phrase{id: id}
			for _, t := range toks[1 : len(toks)-1] {
				p.words = append(p.words, t.Hash)
			}
			m[p.words[0]] = append(m[p.words[0]], p)
		}
	}
	for _, ps := range m {
		slices.SortStableFunc(ps, func(a, b phrase) int { return len(b.words) - len(a.words) })
	}
	return m
})

var urls = sync.OnceValue(func() [][2]string {
	var out [][2]string
	for line := range strings.Lines(urlTable) {
		if url, id, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			out = append(out, [2]string{url, id})
		}
	}
	return out
})

// named is a license that a stretch of text names or links.
type named struct {
	id   string
	span shingle.Span
}

const maxMentions = 32

// namesIn finds the names, links and SPDX tags in a stretch that no match explains.
func (x *Index) namesIn(d *doc, s shingle.Span) []named {
	var out []named
	table := phrases()
	for i := s.From; i < s.To && len(out) < maxMentions; i++ {
		t := &d.toks[i]
		if t.Has(shingle.URL) || bytes.IndexByte(d.text.Body[t.Start:t.End], '.') > 0 && d.linked(t) {
			if id := x.linkedID(shingle.CleanURL(d.text.Body[t.Start:t.End])); id != "" {
				out = append(out, named{id, shingle.Span{From: i, To: i + 1}})
			}
			continue
		}
		for _, p := range table[t.Hash] {
			if i+len(p.words) <= s.To && d.stands(i, p.words) {
				out = append(out, named{p.id, shingle.Span{From: i, To: i + len(p.words)}})
				i += len(p.words) - 1
				break
			}
		}
	}
	return out
}

func (d *doc) linked(t *shingle.Token) bool { return t.End-t.Start > 8 && t.Class != shingle.Number }

func (d *doc) stands(i int, words []uint32) bool {
	for j, h := range words {
		if d.toks[i+j].Hash != h {
			return false
		}
	}
	return true
}

// linkedID returns the id of the license that an address leads to.
func (x *Index) linkedID(url []byte) string {
	u := string(url)
	u, _, _ = strings.Cut(u, "#")
	u, _, _ = strings.Cut(u, "?")
	for _, site := range []string{
		"spdx.org/licenses/", "choosealicense.com/licenses/", "opensource.org/licenses/",
		"opensource.org/license/", "spdx.dev/licenses/",
	} {
		if id, ok := strings.CutPrefix(u, site); ok {
			return x.canonical(strings.TrimSuffix(id, ".json"))
		}
	}
	if rest, ok := strings.CutPrefix(u, "creativecommons.org/"); ok {
		return x.canonical(creativeID(rest))
	}
	for _, e := range urls() {
		begin, open := strings.CutSuffix(e[0], "*")
		if u == begin || open && strings.HasPrefix(u, begin) {
			return x.canonical(e[1])
		}
	}
	return ""
}

// creativeID turns "licenses/by-nc/4.0/legalcode" into an id.
func creativeID(path string) string {
	f := strings.Split(path, "/")
	switch {
	case len(f) >= 3 && f[0] == "licenses":
		return "cc-" + f[1] + "-" + f[2]
	case len(f) >= 3 && f[0] == "publicdomain" && f[1] == "zero":
		return "cc0-" + f[2]
	}
	return ""
}

// canonical returns the catalog id for an id in any spelling, "" if the index does not know it.
func (x *Index) canonical(id string) string {
	m, ok := x.ByID(id)
	if !ok {
		return ""
	}
	return m.ID
}

// ByID returns what the index knows about an id, an SPDX id or a twin, in any case: names and kind.
func (x *Index) ByID(id string) (Match, bool) {
	if id == "" {
		return Match{}, false
	}
	for i := range x.x.Len() {
		e := x.x.Entry(i)
		name, spdx, twins := x.x.Names(e)
		if strings.EqualFold(name, id) || strings.EqualFold(spdx, id) ||
			slices.ContainsFunc(twins, func(t string) bool { return strings.EqualFold(t, id) }) {
			m := Match{ID: name, SPDX: spdx, Twins: twins, Kind: License}
			if e.Policy {
				m.Kind = Policy
			}
			return m, true
		}
	}
	return Match{}, false
}

// mentions adds the licenses that are only named, linked or tagged.
func (x *Index) mentions(d *doc, r *Result) {
	var free []shingle.Span
	for i := 0; i < len(d.toks); i++ {
		if d.owned[i] {
			continue
		}
		j := i
		for j < len(d.toks) && !d.owned[j] {
			j++
		}
		free = append(free, shingle.Span{From: i, To: j})
		i = j
	}
	for _, s := range free {
		for _, n := range append(x.tags(d, s), x.namesIn(d, s)...) {
			x.mention(d, r, n)
		}
	}
}

func (x *Index) mention(d *doc, r *Result, n named) {
	m, ok := x.ByID(n.id)
	if !ok {
		m = Match{ID: n.id, Kind: License}
	}
	if len(r.Matches) >= maxMatches || slices.ContainsFunc(r.Matches, func(o Match) bool { return o.ID == m.ID }) {
		return
	}
	d.notHolder(n.span)
	m.Relation = Mention
	m.StartLine, m.EndLine = int(d.toks[n.span.From].Line), int(d.toks[n.span.To-1].Line)
	m.TextCoverage = float64(n.span.Len()) / float64(len(d.toks))
	r.Matches = append(r.Matches, m)
}

// notHolder takes the sentence that names a license out of the copyright statement before it: no holder is called so.
func (d *doc) notHolder(s shingle.Span) {
	for i := s.To - 1; i >= 0 && d.copyright[i]; i-- {
		d.copyright[i] = false
		if i < s.From && d.toks[i].Has(shingle.LineStart|shingle.SentEnd) {
			return
		}
	}
}

var tag = []byte("SPDX-License-Identifier:")

// tags reads the SPDX-License-Identifier lines in a stretch.
func (x *Index) tags(d *doc, s shingle.Span) []named {
	body := d.text.Body
	from, to := int(d.toks[s.From].Start), len(body)
	if s.To < len(d.toks) {
		to = int(d.toks[s.To].Start)
	}
	var out []named
	for len(out) < maxMentions {
		at := bytes.Index(body[from:to], tag)
		if at < 0 {
			return out
		}
		at += from + len(tag)
		line, _, _ := bytes.Cut(body[at:min(to, at+300)], []byte("\n"))
		i, _ := slices.BinarySearchFunc(d.toks, at, func(t shingle.Token, off int) int { return int(t.Start) - off })
		i = min(i, len(d.toks)-1)
		for _, id := range tagIDs(string(line)) {
			known := x.canonical(id)
			if known == "" {
				known = strings.ToLower(id)
			}
			out = append(out, named{known, shingle.Span{From: i, To: i + 1}})
		}
		from = at
	}
	return out
}

// tagIDs returns the ids of the expression on a tag's line.
func tagIDs(line string) []string {
	line = strings.TrimRight(line, " \t\r*/->")
	e, err := Parse(line, nil)
	if err != nil {
		return nil
	}
	return e.IDs()
}

// maxPointer is how long a text may be that names licenses and says nothing else, in words.
const maxPointer = 60

// pointing are the words of such a text beside the names. None of them limits anything.
var pointing = sync.OnceValue(func() map[uint32]bool {
	return hashes(`spdxlicenseidentifier spdx license licenses licensed identifier identifiers under the this these that is are be
	released distributed available published made provided of to in at for a an it its and by see text full copy found here version
	model models weights weight checkpoint checkpoints code software source project repository repo work works material materials
	content contents file files term terms`)
})

// pointsOnly reports that a short text without a license in it names licenses and says nothing else: "This model is
// licensed under CC BY-NC 4.0."
func (x *Index) pointsOnly(d *doc, r *Result) bool {
	if len(d.toks) > maxPointer || len(r.Matches) == 0 ||
		slices.ContainsFunc(r.Matches, func(m Match) bool { return m.Relation != Mention }) {
		return false
	}
	whole := shingle.Span{From: 0, To: len(d.toks)}
	name := make([]bool, len(d.toks))
	for _, n := range append(x.tags(d, whole), x.namesIn(d, whole)...) {
		for i := n.span.From; i < n.span.To; i++ {
			name[i] = true
		}
	}
	for i := range d.toks {
		t := &d.toks[i]
		if !name[i] && !d.owned[i] && !d.copyright[i] && (t.Has(shingle.URL|shingle.Email) || !pointing()[t.Hash]) {
			return false
		}
	}
	return true
}

// unexplained returns what is neither matched nor harmless.
func (d *doc) unexplained(r *Result) []shingle.Span {
	rest := d.suspicious(shingle.Span{From: 0, To: len(d.toks)})
	for _, s := range rest {
		r.Unexplained = append(r.Unexplained, Region{int(d.toks[s.From].Line), int(d.toks[s.To-1].Line)})
	}
	return rest
}
