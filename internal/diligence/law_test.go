package diligence

import (
	"maps"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/license"
	licenses "github.com/llmcheck/llmcheck/internal/license/catalog"
	"github.com/llmcheck/llmcheck/internal/units"
)

// drawn is a use of which each input is given or not by chance.
func drawn(r *rand.Rand) license.Use {
	var u license.Use
	for _, input := range slices.Sorted(maps.Keys(answers)) { // the seed decides, not the order of a map
		if r.Intn(3) == 0 {
			answers[input](&u, r, "USD")
		}
	}
	if u.Validate() != nil {
		return license.Use{Purpose: u.Purpose}
	}
	return u
}

func one[T any](r *rand.Rand, of ...T) T { return of[r.Intn(len(of))] }

func people(r *rand.Rand) *units.Count { return new(units.Count(one(r, 3, 900, 2e6, 2e8, 9e8))) }

func sum(r *rand.Rand, currency string) *units.Money {
	return &units.Money{Amount: one(r, 5, 9e5, 3e6, 3e7, 9e9), Currency: currency}
}

// answers gives an input of every name that a question can have.
var answers = map[license.Input]func(u *license.Use, r *rand.Rand, currency string){
	"purpose": func(u *license.Use, r *rand.Rand, _ string) {
		u.Purpose = one(r, license.ForEvaluation, license.ForResearch, license.ForInternal, license.ForProduct)
	},
	"shipping": func(u *license.Use, r *rand.Rand, _ string) {
		u.Shipping = []license.Shipping{one(r, license.Hosted, license.Embedded, license.OnDevice, license.Weights, license.NotAtAll)}
	},
	"commercial": func(u *license.Use, r *rand.Rand, _ string) { u.Commercial = new(r.Intn(2) == 0) },
	"organization": func(u *license.Use, r *rand.Rand, _ string) {
		u.Organization = one(r, license.Company, license.Nonprofit, license.Academic, license.Government, license.Individual)
	},
	"modify": func(u *license.Use, r *rand.Rand, _ string) { u.Modify = new(r.Intn(2) == 0) },
	"train_others": func(u *license.Use, r *rand.Rand, _ string) {
		u.TrainOthers = one(r, license.TrainNone, license.TrainSameFamily, license.TrainAny)
	},
	"monthly_users":           func(u *license.Use, r *rand.Rand, _ string) { u.MonthlyUsers = people(r) },
	"users_at_release":        func(u *license.Use, r *rand.Rand, _ string) { u.UsersAtRelease = people(r) },
	"product_users":           func(u *license.Use, r *rand.Rand, _ string) { u.ProductUsers = people(r) },
	"monthly_visits":          func(u *license.Use, r *rand.Rand, _ string) { u.MonthlyVisits = people(r) },
	"revenue":                 func(u *license.Use, r *rand.Rand, c string) { u.Revenue = sum(r, c) },
	"monthly_revenue":         func(u *license.Use, r *rand.Rand, c string) { u.MonthlyRevenue = sum(r, c) },
	"product_revenue":         func(u *license.Use, r *rand.Rand, c string) { u.ProductRevenue = sum(r, c) },
	"product_monthly_revenue": func(u *license.Use, r *rand.Rand, c string) { u.ProductMonthlyRevenue = sum(r, c) },
	"funding":                 func(u *license.Use, r *rand.Rand, c string) { u.Funding = sum(r, c) },
	"employees":               func(u *license.Use, r *rand.Rand, _ string) { u.Employees = people(r) },
	"domicile":                func(u *license.Use, r *rand.Rand, _ string) { u.Domicile = one(r, "US", "DE", "KR", "GB", "CN") },
	"countries": func(u *license.Use, r *rand.Rand, _ string) {
		u.Countries = one(r, []string{"US"}, []string{"DE", "US"}, []string{license.Worldwide}, []string{"KR"})
	},
	"fields": func(u *license.Use, r *rand.Rand, _ string) {
		u.Fields = one(r, []license.Field{}, []license.Field{license.ModelAsAService}, []license.Field{license.Military, license.MedicalAdvice})
	},
	"multimodal": func(u *license.Use, r *rand.Rand, _ string) { u.Multimodal = new(r.Intn(2) == 0) },
}

// currencyOf reads the currency that a question asks for: "..., in USD?".
func currencyOf(q license.Question) string {
	if i := strings.LastIndex(q.Text, ", in "); i >= 0 {
		return strings.TrimSuffix(q.Text[i+len(", in "):], "?")
	}
	return "USD"
}

// silent tells that a license leaves the answer open by itself: no answer of ours fills what its text does not say.
func silent(v license.Verdict) bool {
	for _, r := range v.Reasons {
		if r.Outcome == license.Undetermined && strings.HasPrefix(r.Text, "the license does not say") {
			return true
		}
	}
	return false
}

// Law: over all licenses we know, whoever answers what is asked gets out of "undetermined", unless the text itself is
// silent. No question comes twice, and every question has a flag.
func TestAnswersDecide(t *testing.T) {
	catalog := licenses.Default()
	ids, err := catalog.IDs()
	if err != nil || len(ids) < 199 {
		t.Fatalf("%d licenses, want at least 199: %v", len(ids), err)
	}
	r := rand.New(rand.NewSource(1))
	undecided, asked := 0, 0
	for _, id := range ids {
		terms, err := catalog.Get(id)
		if err != nil {
			t.Fatal(err)
		}
		for range 60 {
			start := drawn(r)
			u, told := start, map[license.Question]bool{}
			v := license.Assess(terms, u, license.Traits{})
			for v.Outcome == license.Undetermined && len(v.Questions) > 0 {
				undecided++
				if !respond(t, &u, v.Questions, told, r) {
					t.Fatalf("%s for %+v: asks again for %+v although %+v was answered", id, start, v.Questions, u)
				}
				asked += len(v.Questions)
				v = license.Assess(terms, u, license.Traits{})
			}
			if v.Outcome == license.Undetermined && !silent(v) {
				t.Errorf("%s for %+v: undetermined, and nothing is asked: %+v", id, u, v.Reasons)
			}
		}
	}
	if undecided == 0 || asked == 0 {
		t.Error("nothing was ever asked")
	}
}

// respond answers questions, and reports whether all of them were new.
func respond(t *testing.T, u *license.Use, qs []license.Question, told map[license.Question]bool, r *rand.Rand) bool {
	t.Helper()
	fresh := false
	for _, q := range qs {
		if told[q] {
			continue
		}
		fresh, told[q] = true, true
		if q.Text == "" || !strings.HasPrefix(q.Input.Flag(), "--") {
			t.Errorf("input %q: question %q, flag %q; want both", q.Input, q.Text, q.Input.Flag())
		}
		answers[q.Input](u, r, currencyOf(q))
	}
	return fresh
}

// Law: a question of a verdict that is only undetermined for want of answers decides: some answer to what is asked gives
// another outcome than the others.
func TestEveryQuestionMatters(t *testing.T) {
	catalog := licenses.Default()
	ids, err := catalog.IDs()
	if err != nil || len(ids) == 0 {
		t.Fatal(err)
	}
	r := rand.New(rand.NewSource(2))
	hits := 0
	for _, id := range ids {
		terms, err := catalog.Get(id)
		if err != nil {
			t.Fatal(err)
		}
		u := license.Use{Purpose: license.ForProduct}
		v := license.Assess(terms, u, license.Traits{})
		if v.Outcome != license.Undetermined || silent(v) {
			continue
		}
		seen := map[license.Outcome]bool{}
		for range 200 {
			filled := u
			told := map[license.Question]bool{}
			for w := v; w.Outcome == license.Undetermined && respond(t, &filled, w.Questions, told, r); {
				w = license.Assess(terms, filled, license.Traits{})
				seen[w.Outcome] = true
			}
		}
		hits++
		if !seen[license.Prohibited] || !seen[license.Conditional] && !seen[license.Allowed] {
			t.Errorf("%s: the answers to %+v only lead to %v", id, v.Questions, seen)
		}
	}
	if hits == 0 {
		t.Error("no license asked anything")
	}
}
