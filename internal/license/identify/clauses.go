package identify

import (
	"bytes"
	"slices"
	"strings"
	"sync"

	"github.com/llmcheck/llmcheck/internal/license/identify/shingle"
)

// Topic is what a clause speaks of.
type Topic string

// The topics, in the order in which a reader wants them.
const (
	CommercialUse   Topic = "commercial use"
	NonCommercial   Topic = "non-commercial"
	ResearchOnly    Topic = "research only"
	MonthlyUsers    Topic = "monthly users"
	Revenue         Topic = "revenue"
	Territory       Topic = "territory"
	OutputsTraining Topic = "outputs used for training"
	Naming          Topic = "naming"
	Display         Topic = "display"
	UsePolicy       Topic = "use policy"
	Registration    Topic = "registration or approval"
	TerminationWill Topic = "termination at will"
)

// Finding is a sentence that speaks of a topic. It says where a lawyer should start to read, not what holds.
type Finding struct {
	Topic     Topic
	StartLine int
	EndLine   int
	Quote     string // the sentence, at most 300 bytes
}

// pattern is a way to speak of a topic: every group must be met by one of its words or phrases.
type pattern struct {
	topic  Topic
	groups [][][]uint32 // groups of alternatives, each a phrase
}

// One line a pattern: the topic, then groups that must all be met in one sentence, alternatives separated by commas.
// Chinese is given by character, as it is cut.
const patternTable = `
commercial use: commercial, commercially, 商 业, 商 用
non-commercial: noncommercial, non commercial, noncommercially, not for commercial, 非 商 业, 非 商 用
non-commercial: not, no, may not, shall not, never, cannot, prohibited, without, except | commercial, commercially
research only: research, academic, scientific, educational, evaluation, nonproduction | only, solely, exclusively, limited to, restricted to, purpose only
research only: research purpose, academic purpose, research use, scientific research, 学 术 研 究, 科 研, 研 究 目 的
monthly users: monthly active user, active user, monthly user, daily active user, mau, monthly visit, monthly visitor, 月 活, 活 跃 用 户
monthly users: user, customer, subscriber, visit | million, 100m, 700m, 100000000, 700000000, 1000000, billion
revenue: revenue, turnover, gross income, annual recurring revenue, arr, 收 入, 营 收, 营 业 额
revenue: usd, dollar, eur, rmb, cny, gbp | annual, annually, yearly, year, monthly, quarter, 12 months, twelve months, fiscal | million, exceed, more than, less than, above, below
territory: territory, european union, south korea, united kingdom, eu member state, domiciled, domicile, principal place of business, place of business, embargoed, sanctioned, export control, 欧 盟, 境 外, 境 内
territory: not, outside, exclude, excluding, excluded, only, except, within, in | country, countrie, jurisdiction, region, china, usa, united states, canada, europe, eu, russia, japan | use, offer, customer, license, grant, right, distribute, available, resident
outputs used for training: output, result, generated, generation, 输 出, 生 成 | train, training, improve, finetune, distill, distillation, develop, create, 训 练, 改 进 | model, language model, llm, foundation model, ai, 模 型
outputs used for training: improve any other, improve other large language model, train any other, train other model, 改 进 任 何 其 他
naming: name | begin, beginning, start, prefix, include, contain, precede, 前 缀 | model, derivative, product, ai
naming: name of the model, name of any such, at the beginning of, 名 称 开 头
display: prominently, built with, powered by, built on, build with, 显 著, 显 示 | display, show, state, indicate, include, use, user interface, website, documentation, page, 标 注, 界 面
display: prominently display, must display, shall display, display the name
use policy: acceptable use policy, use policy, prohibited use, use restriction, usage policy, usage restriction, use based restriction, usebased restriction, acceptable use, 使 用 政 策, 使 用 限 制
use policy: not, no, prohibited, agree not to | military, weapon, unlawful, illegal, harm, discriminate, surveillance, disinformation, minor
registration or approval: request, obtain, apply for, contact, register, registration, permission, consent, approval, authorization, 登 记, 申 请, 授 权 | license, form, email, prior written, separate, written, 许 可, 联 系 | must, shall, required, before, prior, will, need, in order to, if, 需, 应, 必 须
registration or approval: prior written consent, prior written permission, prior written approval, separate license, commercial license agreement, registration form
termination at will: terminate, revoke, suspend, 终 止, 撤 销 | at any time, sole discretion, for any reason, without cause, convenience, without notice, no reason, 随 时
`

var patterns = sync.OnceValue(func() []pattern {
	var out []pattern
	for line := range strings.Lines(patternTable) {
		topic, rest, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			continue
		}
		p := pattern{topic: Topic(topic)}
		for group := range strings.SplitSeq(rest, " | ") {
			var phrases [][]uint32
			for words := range strings.SplitSeq(group, ", ") {
				var hs []uint32
				for w := range strings.FieldsSeq(words) {
					hs = append(hs, shingle.WordHash(w))
				}
				phrases = append(phrases, hs)
			}
			p.groups = append(p.groups, phrases)
		}
		out = append(out, p)
	}
	return out
})

const (
	maxFindings = 400
	maxClause   = 300 // bytes of a quote
	maxSentence = 400 // words
)

// Clauses lists the sentences of raw that speak of the topics, in the order of the text. With regions it lists only
// sentences that touch one of them, such as the parts of a modified license that were added.
func Clauses(raw []byte, regions ...Region) []Finding {
	text := shingle.Clean(raw)
	toks, _ := shingle.Words(&text)
	d := &doc{text: &text, toks: toks}
	var out []Finding
	for i := 0; i < len(toks) && len(out) < maxFindings; {
		end := d.sentence(i)
		s := shingle.Span{From: i, To: end}
		if d.touches(s, regions) {
			out = append(out, d.clause(s)...)
		}
		i = end
	}
	return out
}

func (d *doc) touches(s shingle.Span, regions []Region) bool {
	first, last := int(d.toks[s.From].Line), int(d.toks[s.To-1].Line)
	return len(regions) == 0 || slices.ContainsFunc(regions, func(r Region) bool {
		return r.StartLine <= last && first <= r.EndLine
	})
}

// clause returns a finding for each topic that a sentence speaks of.
func (d *doc) clause(s shingle.Span) []Finding {
	at := make(map[uint32][]int, s.Len())
	for i := s.From; i < s.To; i++ {
		at[d.toks[i].Hash] = append(at[d.toks[i].Hash], i)
	}
	var out []Finding
	for _, p := range patterns() {
		first, ok := p.met(d, s, at)
		if !ok || slices.ContainsFunc(out, func(f Finding) bool { return f.Topic == p.topic }) {
			continue
		}
		out = append(out, Finding{
			Topic: p.topic, StartLine: int(d.toks[s.From].Line), EndLine: int(d.toks[s.To-1].Line),
			Quote: d.quoted(s, first),
		})
	}
	return out
}

// met returns where the first group of the pattern is met, if all are.
func (p *pattern) met(d *doc, s shingle.Span, at map[uint32][]int) (int, bool) {
	first := -1
	for _, group := range p.groups {
		found := -1
		for _, phrase := range group {
			for _, i := range at[phrase[0]] {
				if i+len(phrase) <= s.To && d.stands(i, phrase) && (found < 0 || i < found) {
					found = i
				}
			}
		}
		if found < 0 {
			return 0, false
		}
		if first < 0 {
			first = found
		}
	}
	return first, true
}

// quoted returns the sentence with its punctuation, at most maxClause bytes: of a long one the part around the word at
// the token about.
func (d *doc) quoted(s shingle.Span, about int) string {
	body := d.text.Body
	from, to := int(d.toks[s.From].Start), int(d.toks[s.To-1].End)
	for _, open := range []string{`"`, "'", "(", "[", "“", "‘", "「", "《"} {
		if bytes.HasSuffix(body[:from], []byte(open)) {
			from -= len(open)
			break
		}
	}
	for to < len(body) && bytes.IndexByte([]byte(`.;:!?)"'%`), body[to]) >= 0 {
		to++
	}
	mark := ""
	if n := int(d.toks[about].End) - from; n > maxClause*2/3 {
		i := about
		for i > s.From && int(d.toks[about].Start-d.toks[i-1].Start) < maxClause/3 {
			i--
		}
		from, mark = int(d.toks[i].Start), "… "
	}
	return mark + shorten(body[from:to], maxClause-len(mark))
}

// Words before a full stop that end no sentence.
var abbreviations = sync.OnceValue(func() map[uint32]bool {
	return hashes(`inc ltd llc corp co e.g i.e eg ie etc no art sec vs cf dr mr mrs ms st u.s u.k approx dept fig vol ver v
		para al incl gmbh jr sr prof`)
})

// sentence returns where the sentence or clause that begins at token i ends: after a full stop, a semicolon or a colon
// that is no abbreviation, before an enumerated item, at the end of a paragraph.
func (d *doc) sentence(i int) int {
	j := i + 1
	for ; j < len(d.toks) && j-i < maxSentence; j++ {
		prev := &d.toks[j-1]
		if d.toks[j].Has(shingle.ParaStart) {
			return j
		}
		if prev.Has(shingle.SentEnd) && d.stops(prev, &d.toks[j]) {
			return j
		}
		if d.toks[j].Has(shingle.LineStart) && d.item(prev, &d.toks[j]) {
			return j
		}
	}
	return j
}

// stops reports whether the punctuation between two tokens ends a sentence.
func (d *doc) stops(a, b *shingle.Token) bool {
	between := d.text.Body[a.End:b.Start]
	if bytes.ContainsAny(between, ";!?") || bytes.Contains(between, []byte("。")) || bytes.Contains(between, []byte("；")) {
		return true
	}
	if !bytes.ContainsRune(between, '.') {
		return false
	}
	return !abbreviations()[a.Hash] && (b.Has(shingle.Capital) || b.Has(shingle.LineStart) || bytes.ContainsAny(between, "([\"0123456789"))
}

// item reports whether a line begins with a bullet or a number that was dropped between two tokens.
func (d *doc) item(a, b *shingle.Token) bool {
	between := d.text.Body[a.End:b.Start]
	if n := bytes.LastIndexByte(between, '\n'); n >= 0 {
		between = between[n+1:]
	}
	between = bytes.TrimLeft(between, " \t>*#/")
	return len(between) > 1 && bytes.IndexByte([]byte("(-+0123456789"), between[0]) >= 0 ||
		bytes.HasPrefix(between, []byte("•")) || len(between) > 1 && isLetter(between[0]) && (between[1] == '.' || between[1] == ')')
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
