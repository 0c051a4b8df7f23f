package license

import (
	"math/rand"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/quick"

	"github.com/llmcheck/llmcheck/internal/evidence"
	"github.com/llmcheck/llmcheck/internal/units"
)

// open grants everything and asks for nothing; each case adds one clause to it.
func open() *Terms {
	g := Grant{Permission: Yes, Clause: evidence.Clause{Section: "1"}}
	grants := make(map[Activity]Grant)
	for _, a := range Activities() {
		grants[a] = g
	}
	return &Terms{ID: "open-1.0", Name: "Open", Class: Permissive, Read: ReadWhole, Grants: grants, Copyleft: Copyleft{Reach: NoCopyleft}}
}

func with(change func(*Terms)) *Terms {
	t := open()
	change(t)
	return t
}

func limit(l Limit) *Terms {
	return with(func(t *Terms) {
		t.Thresholds = []Threshold{{Any: []Limit{l}, Consequence: NoRights, Clause: evidence.Clause{Section: "2"}}}
	})
}

// The clauses are those of real licenses, named in each case.
var (
	llama  = limit(Limit{Kind: MonthlyUsers, Limit: 700_000_000, Counted: AtRelease, Scope: OfCompany, Affiliates: true})
	qwen   = limit(Limit{Kind: MonthlyUsers, Limit: 100_000_000, Counted: Running, Scope: OfProduct})
	lfm    = limit(Limit{Kind: Revenue, Limit: 10_000_000, Currency: "USD", Period: Year, Inclusive: true, Counted: Running, Scope: OfCompany})
	medium = limit(Limit{Kind: Revenue, Limit: 20_000_000, Currency: "USD", Period: Month, Counted: Running, Scope: OfCompany})
	kimi   = with(func(t *Terms) {
		t.Thresholds = []Threshold{{
			Any: []Limit{
				{Kind: MonthlyUsers, Limit: 100_000_000, Counted: Running, Scope: OfProduct},
				{Kind: Revenue, Limit: 20_000_000, Currency: "USD", Period: Month, Counted: Running, Scope: OfProduct},
			},
			Consequence: DisplayDuty, Exact: "Kimi K2", Clause: evidence.Clause{Section: "last"},
		}}
	})
	hunyuan = with(func(t *Terms) {
		t.Territories = []Territory{{Excluded: []string{"EU", "GB", "KR"}, Of: []Place{PlaceUsed, OutputsIn}, Clause: evidence.Clause{Section: "1"}}}
	})
	llamaVision = with(func(t *Terms) {
		t.Territories = []Territory{{Excluded: []string{"EU"}, Of: []Place{Domicile}, When: When{Multimodal: new(true)}, Clause: evidence.Clause{Section: "policy"}}}
	})
	nonCommercial = with(func(t *Terms) {
		t.Grants[Product] = Grant{Permission: No, Clause: evidence.Clause{Section: "2"}}
		t.Grants[Research] = Grant{Permission: Yes, Clause: evidence.Clause{Section: "2"}}
		t.Grants[Evaluate] = Grant{Permission: NonProfit, Clause: evidence.Clause{Section: "2"}}
		delete(t.Grants, Internal)
	})
	researchOnly = with(func(t *Terms) {
		t.Grants[Product] = Grant{Permission: Unknown}
		t.Grants[Research] = Grant{Permission: Yes, Clause: evidence.Clause{Section: "2"}}
		delete(t.Grants, Internal)
	})
	llama2 = with(func(t *Terms) {
		t.Grants[TrainOthers] = Grant{Permission: SameFamily, Clause: evidence.Clause{Section: "1(b)(v)"}}
	})
	gpl     = with(func(t *Terms) { t.Copyleft = Copyleft{Reach: WorkCopyleft, Clause: evidence.Clause{Section: "5"}} })
	agpl    = with(func(t *Terms) { t.Copyleft = Copyleft{Reach: NetworkReach, Clause: evidence.Clause{Section: "13"}} })
	vague   = with(func(t *Terms) { t.Copyleft = Copyleft{Reach: UnknownCopyleft} })
	branded = with(func(t *Terms) {
		t.Duties = []Duty{{Kind: Display, Text: "Show a name", Exact: "Built with X", When: When{Shipping: []Shipping{Hosted}}, Clause: evidence.Clause{Section: "3"}}}
	})
	rail = with(func(t *Terms) {
		t.UsePolicy = &UsePolicy{Where: "Attachment A", Bars: []Field{MedicalAdvice}, Clause: evidence.Clause{Section: "5"}}
	})
	noDerivatives = with(func(t *Terms) { t.Grants[Modify] = Grant{Permission: No, Clause: evidence.Clause{Section: "2"}} })
)

func product(change func(*Use)) Use {
	u := Use{Purpose: ForProduct, Shipping: []Shipping{Hosted}, Modify: new(false), TrainOthers: TrainNone}
	if change != nil {
		change(&u)
	}
	return u
}

func usd(v float64) *units.Money { return &units.Money{Amount: v, Currency: "USD"} }

func TestAssess(t *testing.T) {
	for _, c := range []struct {
		name  string
		terms *Terms
		use   Use
		model Traits
		want  Outcome
		asks  []Input
	}{
		{"everything granted", open(), product(nil), Traits{}, Allowed, nil},
		{"everything granted, purpose not said", open(), Use{}, Traits{}, Undetermined, []Input{askPurpose}},
		{"Llama: below at release", llama, product(func(u *Use) { u.UsersAtRelease = new(units.Count(700_000_000)) }), Traits{}, Allowed, nil},
		{"Llama: above at release", llama, product(func(u *Use) { u.UsersAtRelease = new(units.Count(700_000_001)) }), Traits{}, Prohibited, nil},
		{"Llama: nobody said", llama, product(nil), Traits{}, Undetermined, []Input{askUsersAtRelease}},
		{"Llama: few users today stand for the release", llama, product(func(u *Use) { u.MonthlyUsers = new(units.Count(5000)) }), Traits{}, Conditional, []Input{askUsersAtRelease}},
		{"Llama: many users today say nothing about the release", llama, product(func(u *Use) { u.MonthlyUsers = new(units.Count(800_000_000)) }), Traits{}, Undetermined, []Input{askUsersAtRelease}},
		{"Qwen: users of the company bound those of the product", qwen, product(func(u *Use) { u.MonthlyUsers = new(units.Count(9000)) }), Traits{}, Allowed, nil},
		{"Qwen: a large company may have a small product", qwen, product(func(u *Use) { u.MonthlyUsers = new(units.Count(200_000_000)) }), Traits{}, Undetermined, []Input{askProductUsers}},
		{"Qwen: product above", qwen, product(func(u *Use) { u.ProductUsers = new(units.Count(200_000_000)) }), Traits{}, Prohibited, nil},
		{"LFM: the limit itself is caught", lfm, product(func(u *Use) { u.Revenue = usd(10_000_000) }), Traits{}, Prohibited, nil},
		{"LFM: just below", lfm, product(func(u *Use) { u.Revenue = usd(9_999_999) }), Traits{}, Allowed, nil},
		{"LFM: another currency is no answer", lfm, product(func(u *Use) { u.Revenue = &units.Money{Amount: 1, Currency: "EUR"} }), Traits{}, Undetermined, []Input{askRevenue}},
		{"Mistral: a year below a month's limit", medium, product(func(u *Use) { u.Revenue = usd(15_000_000) }), Traits{}, Allowed, nil},
		{"Mistral: a year above a month's limit decides nothing", medium, product(func(u *Use) { u.Revenue = usd(90_000_000) }), Traits{}, Undetermined, []Input{askMonthlyRevenue}},
		{"Kimi: nobody said, a display at worst", kimi, product(nil), Traits{}, Conditional, []Input{askProductUsers, askProductMonthly}},
		{"Kimi: one of two crossed", kimi, product(func(u *Use) { u.ProductUsers, u.Revenue = new(units.Count(200_000_000)), usd(5) }), Traits{}, Conditional, nil},
		{"Kimi: neither crossed", kimi, product(func(u *Use) { u.ProductUsers, u.Revenue = new(units.Count(200)), usd(5) }), Traits{}, Allowed, nil},
		{"Hunyuan: served in France", hunyuan, product(func(u *Use) { u.Countries = []string{"FR"} }), Traits{}, Prohibited, nil},
		{"Hunyuan: served worldwide", hunyuan, product(func(u *Use) { u.Countries = []string{Worldwide} }), Traits{}, Prohibited, nil},
		{"Hunyuan: served in the US", hunyuan, product(func(u *Use) { u.Countries = []string{"US"} }), Traits{}, Allowed, nil},
		{"Hunyuan: served in the UK, as people write it", hunyuan, product(func(u *Use) { u.Countries = []string{"uk"} }), Traits{}, Prohibited, nil},
		{"Hunyuan: at home in France, served in the US", hunyuan, product(func(u *Use) { u.Domicile, u.Countries = "FR", []string{"US"} }), Traits{}, Conditional, nil},
		{"Hunyuan: nobody said", hunyuan, product(nil), Traits{}, Undetermined, []Input{askCountries}},
		{"Llama vision: Germany, multimodal", llamaVision, product(func(u *Use) { u.Domicile = "DE" }), Traits{Multimodal: new(true)}, Prohibited, nil},
		{"Llama vision: Germany, text", llamaVision, product(func(u *Use) { u.Domicile = "DE" }), Traits{Multimodal: new(false)}, Allowed, nil},
		{"Llama vision: Germany, modality not known", llamaVision, product(func(u *Use) { u.Domicile = "DE" }), Traits{}, Undetermined, []Input{askModality}},
		{"Llama vision: Germany, somebody says that it is text", llamaVision, product(func(u *Use) { u.Domicile, u.Multimodal = "DE", new(false) }), Traits{}, Allowed, nil},
		{"Llama vision: Germany, the files know better", llamaVision, product(func(u *Use) { u.Domicile, u.Multimodal = "DE", new(false) }), Traits{Multimodal: new(true)}, Prohibited, nil},
		{"Llama vision: US, modality not known", llamaVision, product(func(u *Use) { u.Domicile = "US" }), Traits{}, Allowed, nil},
		{"non-commercial: product", nonCommercial, product(nil), Traits{}, Prohibited, nil},
		{"non-commercial: research", nonCommercial, product(func(u *Use) { u.Purpose = ForResearch }), Traits{}, Allowed, nil},
		{"non-commercial: research for business", researchOnly, product(func(u *Use) { u.Purpose, u.Commercial = ForResearch, new(true) }), Traits{}, Undetermined, nil},
		{"non-commercial: evaluation, intent not said", nonCommercial, product(func(u *Use) { u.Purpose = ForEvaluation }), Traits{}, Undetermined, []Input{askCommercial}},
		{"non-commercial: internal use is not addressed", nonCommercial, product(func(u *Use) { u.Purpose = ForInternal }), Traits{}, Undetermined, nil},
		{"Llama 2: outputs train another family", llama2, product(func(u *Use) { u.TrainOthers = TrainAny }), Traits{}, Prohibited, nil},
		{"Llama 2: outputs train a Llama", llama2, product(func(u *Use) { u.TrainOthers = TrainSameFamily }), Traits{}, Allowed, nil},
		{"Llama 2: training not said", llama2, product(func(u *Use) { u.TrainOthers = "" }), Traits{}, Undetermined, []Input{askTrainOthers}},
		{"GPL: hosted gives no copies", gpl, product(nil), Traits{}, Allowed, nil},
		{"GPL: embedded", gpl, product(func(u *Use) { u.Shipping = []Shipping{Embedded} }), Traits{}, Conditional, nil},
		{"GPL: embedded and not accepted", gpl, product(func(u *Use) { u.Shipping, u.AcceptCopyleft = []Shipping{Embedded}, FileCopyleft }), Traits{}, Prohibited, nil},
		{"AGPL: hosted", agpl, product(nil), Traits{}, Conditional, nil},
		{"AGPL: hosted and not accepted", agpl, product(func(u *Use) { u.AcceptCopyleft = WorkCopyleft }), Traits{}, Prohibited, nil},
		{"copyleft not known", vague, product(nil), Traits{}, Conditional, nil},
		{"copyleft not known and none accepted", vague, product(func(u *Use) { u.AcceptCopyleft = NoCopyleft }), Traits{}, Undetermined, nil},
		{"branding: accepted", branded, product(func(u *Use) { u.AcceptBranding = new(true) }), Traits{}, Conditional, nil},
		{"branding: not accepted", branded, product(func(u *Use) { u.AcceptBranding = new(false) }), Traits{}, Prohibited, nil},
		{"branding: not accepted, shipping not said", branded, product(func(u *Use) { u.Shipping, u.AcceptBranding = nil, new(false) }), Traits{}, Undetermined, []Input{askShipping}},
		{"RAIL: fields not said", rail, product(nil), Traits{}, Conditional, nil},
		{"RAIL: barred field", rail, product(func(u *Use) { u.Fields = []Field{MedicalAdvice} }), Traits{}, Prohibited, nil},
		{"no derivatives: not said", noDerivatives, product(func(u *Use) { u.Modify = nil }), Traits{}, Undetermined, []Input{askModify}},
		{"no derivatives: fine-tuned", noDerivatives, product(func(u *Use) { u.Modify = new(true) }), Traits{}, Prohibited, nil},
		{"separate agreement", nonCommercial, product(func(u *Use) { u.Agreements = []string{"open-1.0"} }), Traits{}, Conditional, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.use.Validate(); err != nil {
				t.Fatal(err)
			}
			v := Assess(c.terms, c.use, c.model)
			var asks []Input
			for _, q := range v.Questions {
				asks = append(asks, q.Input)
			}
			if v.Outcome != c.want || !slices.Equal(asks, c.asks) {
				t.Errorf("got %v asking %v, want %v asking %v; reasons %+v", v.Outcome, asks, c.want, c.asks, v.Reasons)
			}
		})
	}
}

// A question without words would leave a person guessing.
func TestEveryInputHasAQuestion(t *testing.T) {
	for i, q := range questions {
		if q == "" {
			t.Errorf("input %s has no question", i)
		}
	}
	if len(questions) != 20 {
		t.Errorf("%d questions, want one for each of the 20 inputs", len(questions))
	}
}

func allTerms() []*Terms {
	return []*Terms{open(), llama, qwen, lfm, medium, kimi, hunyuan, llamaVision, nonCommercial, researchOnly, llama2, gpl, agpl, vague, branded, rail, noDerivatives}
}

// randomUse draws a use in which each input is missing about half of the time.
type randomUse struct{ Use }

func (randomUse) Generate(r *rand.Rand, _ int) reflect.Value {
	var u Use
	pick := func(set func()) {
		if r.Intn(2) == 0 {
			set()
		}
	}
	pick(func() { u.Purpose = []Purpose{ForEvaluation, ForResearch, ForInternal, ForProduct}[r.Intn(4)] })
	pick(func() { u.Shipping = [][]Shipping{{Hosted}, {Embedded}, {Weights, Hosted}, {NotAtAll}}[r.Intn(4)] })
	pick(func() { u.Commercial = new(r.Intn(2) == 0) })
	pick(func() { u.Modify = new(r.Intn(2) == 0) })
	pick(func() { u.TrainOthers = []Training{TrainNone, TrainSameFamily, TrainAny}[r.Intn(3)] })
	pick(func() { u.MonthlyUsers = new(units.Count(r.Int63n(1e9))) })
	pick(func() { u.UsersAtRelease = new(units.Count(r.Int63n(1e9))) })
	pick(func() { u.ProductUsers = new(units.Count(r.Int63n(1e9))) })
	pick(func() { u.Revenue = usd(float64(r.Int63n(1e8))) })
	pick(func() { u.MonthlyRevenue = usd(float64(r.Int63n(1e8))) })
	pick(func() { u.ProductMonthlyRevenue = usd(float64(r.Int63n(1e8))) })
	pick(func() { u.Multimodal = new(r.Intn(2) == 0) })
	pick(func() { u.Domicile = []string{"US", "DE", "KR"}[r.Intn(3)] })
	pick(func() { u.Countries = [][]string{{"US"}, {"DE", "US"}, {Worldwide}}[r.Intn(3)] })
	pick(func() { u.Fields = [][]Field{{}, {MedicalAdvice}}[r.Intn(2)] })
	pick(func() { u.AcceptCopyleft = []Reach{NoCopyleft, FileCopyleft, NetworkReach}[r.Intn(3)] })
	pick(func() { u.AcceptBranding = new(r.Intn(2) == 0) })
	return reflect.ValueOf(randomUse{u})
}

// Law: an outcome is the strictest of its reasons, and what is undetermined for want of an input names it.
func TestOutcomeIsTheStrictestReason(t *testing.T) {
	check := func(r randomUse) bool {
		for _, terms := range allTerms() {
			v := Assess(terms, r.Use, Traits{})
			strictest := Allowed
			for _, reason := range v.Reasons {
				strictest = max(strictest, reason.Outcome)
			}
			if v.Outcome != strictest {
				return false
			}
		}
		return true
	}
	if err := quick.Check(check, &quick.Config{MaxCount: 3000}); err != nil {
		t.Error(err)
	}
}

// Law: answering a question never turns a pass into something that was not among the possible answers: if an answer is
// given and the outcome was Allowed without it, it was not needed.
func TestAllowedNeedsNoMoreAnswers(t *testing.T) {
	check := func(r, s randomUse) bool {
		for _, terms := range allTerms() {
			before := Assess(terms, r.Use, Traits{})
			if before.Outcome != Allowed {
				continue
			}
			more := fill(r.Use, s.Use)
			if more.Validate() != nil {
				continue
			}
			after := Assess(terms, more, Traits{})
			if after.Outcome == Prohibited && !refused(s.Use) {
				t.Logf("%s: %+v then %+v: %+v", terms.ID, r.Use, s.Use, after.Reasons)
				return false
			}
		}
		return true
	}
	if err := quick.Check(check, &quick.Config{MaxCount: 3000}); err != nil {
		t.Error(err)
	}
}

// refused reports whether the answers hold a wish that can forbid by itself.
func refused(u Use) bool {
	return u.AcceptCopyleft != "" || u.AcceptBranding != nil || u.Fields != nil || u.UsersAtRelease != nil
}

// fill gives u the answers of more where u has none, except what the purpose implies.
func fill(u, more Use) Use {
	a, b := reflect.ValueOf(&u).Elem(), reflect.ValueOf(more)
	for i := range a.NumField() {
		if a.Field(i).IsZero() && a.Type().Field(i).Name != "Commercial" {
			a.Field(i).Set(b.Field(i))
		}
	}
	return u
}

// Laws of combining: order does not matter for the outcome, and nothing is lost.
func TestCombine(t *testing.T) {
	check := func(r randomUse, i, j uint8) bool {
		all := allTerms()
		a := Assess(all[int(i)%len(all)], r.Use, Traits{})
		b := Assess(all[int(j)%len(all)], r.Use, Traits{})
		ab, ba := Combine(a, b), Combine(b, a)
		return ab.Outcome == ba.Outcome && ab.Outcome == max(a.Outcome, b.Outcome) &&
			len(ab.Duties) == len(ba.Duties) && len(ab.Reasons) == len(ba.Reasons) &&
			Combine(a, a).Outcome == a.Outcome && len(Combine(a, a).Reasons) == len(Combine(a).Reasons)
	}
	if err := quick.Check(check, nil); err != nil {
		t.Error(err)
	}
}

func TestAlternatives(t *testing.T) {
	nc, free := Assess(nonCommercial, product(nil), Traits{}), Assess(open(), product(nil), Traits{})
	if v := Alternatives("cc", nc, free); v.Outcome != Undetermined {
		t.Errorf("editions that differ: got %v, want undetermined", v.Outcome)
	}
	if v := Alternatives("cc-by-nc", nc, nc); v.Outcome != Prohibited {
		t.Errorf("editions that agree: got %v, want prohibited", v.Outcome)
	}
	shown := Assess(branded, product(nil), Traits{})
	if v := Alternatives("brand", free, shown); v.Outcome != Undetermined || len(v.Duties) == 0 {
		t.Errorf("editions of which none forbids: got %v, want undetermined, since the name may mean others", v.Outcome)
	}
	if v := Possibly(Reason{Code: "named"}, nc); v.Outcome != Undetermined {
		t.Errorf("a license that may cover the model and forbids: got %v, want undetermined", v.Outcome)
	}
	if v := Possibly(Reason{Code: "named"}, shown); v.Outcome != Conditional || v.Duties[0].Certain {
		t.Errorf("a license that may cover the model and asks for a duty: got %+v, want a duty that may apply", v)
	}
	if v := Possibly(Reason{Code: "named"}, free); v.Outcome != Allowed {
		t.Errorf("a license that may cover the model and grants all: got %v, want allowed", v.Outcome)
	}
	if v := Choice(nc, free); v.Outcome != Allowed {
		t.Errorf("a choice between no and yes: got %v, want allowed", v.Outcome)
	}
}

// What is told of a change is what judging its use gives, it says something new, and there are few.
func TestChanges(t *testing.T) {
	u := product(func(u *Use) { u.UsersAtRelease = new(units.Count(5000)) })
	judge := func(u Use) Verdict { return Assess(llama, u, Traits{}) }
	got := Changes(judge, u, judge(u))
	if len(got) != 1 || got[0].Text != "if monthly users of the company with affiliates exceed 700M, counted in the month before release" || got[0].Outcome != Prohibited {
		t.Errorf("got %+v, want the one that more users are prohibited", got)
	}
}

func TestChangesOfOnePoint(t *testing.T) {
	for _, c := range []struct {
		name  string
		terms *Terms
		use   Use
		text  string
		want  Outcome
	}{
		{"below a running limit", qwen, product(func(u *Use) { u.ProductUsers = new(units.Count(200_000_000)) }), "if monthly users of the product do not exceed 100M", Allowed},
		{"below a limit that is caught itself", lfm, product(func(u *Use) { u.Revenue = usd(20_000_000) }), "if revenue of the company stays under 10M USD in a year", Allowed},
		{"above a limit, the company grows along", qwen, product(func(u *Use) { u.ProductUsers, u.MonthlyUsers = new(units.Count(5)), new(units.Count(5)) }), "if monthly users of the product exceed 100M", Prohibited},
		{"another market", hunyuan, product(func(u *Use) { u.Countries = []string{"FR"} }), "if the product were used and offered in the United States only", Allowed},
		{"another home", llamaVision, product(func(u *Use) { u.Domicile, u.Multimodal = "DE", new(true) }), "if the principal place of business were in the United States", Allowed},
		{"another purpose", nonCommercial, product(nil), "if the purpose were non-commercial research", Allowed},
		{"no change of the model", noDerivatives, product(func(u *Use) { u.Modify = new(true) }), "if you did not modify the model", Allowed},
		{"a change of the model", noDerivatives, product(nil), "if you modified the model", Prohibited},
		{"branding accepted", branded, product(func(u *Use) { u.AcceptBranding = new(false) }), "if you accepted to show names and to name models as asked", Conditional},
		{"copyleft accepted", agpl, product(func(u *Use) { u.AcceptCopyleft = FileCopyleft }), "if you accepted the strongest copyleft", Conditional},
		{"copies given away", gpl, product(nil), "if copies of the weights were given to others", Conditional},
	} {
		t.Run(c.name, func(t *testing.T) {
			judge := func(u Use) Verdict { return Assess(c.terms, u, Traits{}) }
			got := Changes(judge, c.use, judge(c.use))
			i := slices.IndexFunc(got, func(o Change) bool { return o.Text == c.text })
			if i < 0 || got[i].Outcome != c.want {
				t.Errorf("got %+v, want %v %s", got, c.want, c.text)
			}
		})
	}
}

// Law: a change names another outcome, the one that its use is judged with, once; its use is a valid one; and nobody has
// to read more than a dozen.
func TestEveryChangeIsTrue(t *testing.T) {
	check := func(r randomUse) bool {
		if r.Validate() != nil {
			return true
		}
		for _, terms := range allTerms() {
			judge := func(u Use) Verdict { return Assess(terms, u, Traits{}) }
			now := judge(r.Use)
			told := make(map[string]bool)
			for _, c := range Changes(judge, r.Use, now) {
				if c.Outcome == now.Outcome || c.Outcome != judge(c.Use).Outcome || told[c.Text] || c.Use.Validate() != nil || reflect.DeepEqual(c.Use, r.Use) {
					t.Logf("%s for %+v: %+v", terms.ID, r.Use, c)
					return false
				}
				told[c.Text] = true
			}
			if len(told) > maxChanges {
				return false
			}
		}
		return true
	}
	if err := quick.Check(check, &quick.Config{MaxCount: 1000}); err != nil {
		t.Error(err)
	}
}

// A use that says less than it seems to is refused: each of these would pass a bar that it was meant to answer.
func TestUseRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		use  Use
		want string
	}{
		{"no way of shipping", Use{Shipping: []Shipping{}}, "shipping: the list is empty"},
		{"no country", Use{Countries: []string{}}, "countries: the list is empty"},
		{"a code that nobody assigned", Use{Countries: []string{"XX"}}, `countries: "XX" is not`},
		{"a language for a country", Use{Domicile: "en"}, `domicile: "en" is not`},
		{"none beside a field", Use{Fields: []Field{noFields, Gambling}}, `fields: "none" is not`},
		{"a month above the year", Use{ProductMonthlyRevenue: usd(2), ProductRevenue: usd(1)}, "product_monthly_revenue is greater than product_revenue"},
		{"a product above the company", Use{ProductMonthlyRevenue: usd(2), MonthlyRevenue: usd(1)}, "product_monthly_revenue is greater than monthly_revenue"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.use.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestCountries(t *testing.T) {
	u := Use{Domicile: "uk", Countries: []string{"el", "worldwide", "eu"}, Fields: []Field{noFields}}
	if err := u.Validate(); err != nil {
		t.Fatal(err)
	}
	if u.Domicile != "GB" || !slices.Equal(u.Countries, []string{"GR", Worldwide, "EU"}) || u.Fields == nil || len(u.Fields) != 0 {
		t.Errorf("got %+v, want codes of the standard and no field", u)
	}
	if n := len(strings.Fields(countries)); n != 249 {
		t.Errorf("%d countries, ISO 3166-1 has 249", n)
	}
}

// A sum is asked for in the currency of the clause, since no other answers.
func TestQuestionNamesTheCurrency(t *testing.T) {
	v := Assess(lfm, product(nil), Traits{})
	if len(v.Questions) != 1 || !strings.HasSuffix(v.Questions[0].Text, "affiliates included, in USD?") {
		t.Errorf("got %+v, want one question in USD", v.Questions)
	}
}
