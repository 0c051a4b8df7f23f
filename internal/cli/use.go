package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/llmcheck/llmcheck/internal/license"
	"github.com/llmcheck/llmcheck/internal/records"
	"github.com/llmcheck/llmcheck/internal/units"
)

// useFlags are the facts about the company and its plan. A flag that is not given leaves its fact unknown; a file gives
// what no flag does.
type useFlags struct {
	file  string
	flags license.Use
	set   *pflag.FlagSet
}

func (u *useFlags) declare(fl *pflag.FlagSet) {
	u.set = fl
	f := &u.flags
	fl.StringVar(&u.file, "use", "", "YAML `file` with the facts about the use; flags win over it")
	word(fl, &f.Purpose, "purpose", "what it is wanted `for`: evaluate, research, internal, product (default product)")
	words(fl, &f.Shipping, "ship", "how it reaches users, one or more `ways`: hosted, embedded, on-device, weights, none")
	answer(fl, &f.Modify, "modify", "whether the model is modified: fine-tuned, merged, quantized")
	word(fl, &f.TrainOthers, "train-others", "`which` other models outputs train: no, same-family, any")
	answer(fl, &f.Multimodal, "multimodal", "whether the model takes or makes images, audio or video, where its files do not tell")
	answer(fl, &f.Commercial, "commercial", "whether the use is commercial, where the purpose does not tell")
	word(fl, &f.Organization, "organization", "the `kind` of licensee: company, nonprofit, academic, government, individual")
	count(fl, &f.MonthlyUsers, "monthly-users", "monthly `users` of all products with affiliates, like 5M")
	count(fl, &f.UsersAtRelease, "users-at-release", "the same `users` in the month before the model was released")
	count(fl, &f.ProductUsers, "product-users", "monthly `users` of the product with the model")
	count(fl, &f.MonthlyVisits, "monthly-visits", "monthly `visits` of the product with the model")
	money(fl, &f.Revenue, "revenue", "revenue of twelve months with affiliates, like '4M USD'")
	money(fl, &f.MonthlyRevenue, "monthly-revenue", "revenue of the best month, like '400k USD'")
	money(fl, &f.ProductRevenue, "product-revenue", "revenue of the product with the model over twelve months")
	money(fl, &f.ProductMonthlyRevenue, "product-monthly-revenue", "revenue of the product with the model in its best month")
	money(fl, &f.Funding, "funding", "funding raised")
	count(fl, &f.Employees, "employees", "`number` of employees")
	fl.StringVar(&f.Domicile, "domicile", "", "`country` of the principal place of business, like DE")
	fl.StringSliceVar(&f.Countries, "country", nil, "`countries` served, like DE,US, EU or WORLD")
	words(fl, &f.Fields, "field", "`fields` of use that are touched, or none; llmcheck help fields lists them")
	word(fl, &f.AcceptCopyleft, "accept-copyleft", "the `strongest` copyleft that is acceptable: none, file, library, work, network")
	answer(fl, &f.AcceptBranding, "accept-branding", "whether showing names and naming models is acceptable")
	fl.StringSliceVar(&f.Agreements, "agreement", nil, "`licenses` for which a separate agreement with the licensor exists")
}

// plan is a use to judge by, with what about it was assumed.
type plan struct {
	use     license.Use
	assumed []string
}

// complete reads the file of company facts and lays the flags over it.
func (u *useFlags) complete(a *App, file string) (plan, error) {
	var use license.Use
	if file != "" {
		data, err := a.read(file)
		if err != nil {
			return plan{}, fmt.Errorf("reading the use: %w", err)
		}
		if err := records.Decode(file, data, &use); err != nil {
			return plan{}, err
		}
	}
	u.overlay(&use)
	return planned(use)
}

// planned checks a use and says what is assumed.
func planned(use license.Use) (plan, error) {
	if err := use.Validate(); err != nil {
		return plan{}, fmt.Errorf("reading the use: %w", err)
	}
	if use.Purpose != "" {
		return plan{use: use}, nil
	}
	use.Purpose = license.ForProduct
	return plan{use, []string{"the purpose is product, the strictest; say --purpose to judge another"}}, nil
}

// overlay copies what flags gave.
func (u *useFlags) overlay(use *license.Use) {
	f := u.flags
	for name, copyTo := range map[string]func(){
		"purpose": func() { use.Purpose = f.Purpose }, "ship": func() { use.Shipping = f.Shipping },
		"modify": func() { use.Modify = f.Modify }, "train-others": func() { use.TrainOthers = f.TrainOthers },
		"commercial": func() { use.Commercial = f.Commercial }, "organization": func() { use.Organization = f.Organization },
		"monthly-users": func() { use.MonthlyUsers = f.MonthlyUsers }, "users-at-release": func() { use.UsersAtRelease = f.UsersAtRelease },
		"product-users": func() { use.ProductUsers = f.ProductUsers }, "monthly-visits": func() { use.MonthlyVisits = f.MonthlyVisits },
		"revenue": func() { use.Revenue = f.Revenue }, "monthly-revenue": func() { use.MonthlyRevenue = f.MonthlyRevenue },
		"product-revenue":         func() { use.ProductRevenue = f.ProductRevenue },
		"product-monthly-revenue": func() { use.ProductMonthlyRevenue = f.ProductMonthlyRevenue },
		"multimodal":              func() { use.Multimodal = f.Multimodal }, "funding": func() { use.Funding = f.Funding },
		"employees": func() { use.Employees = f.Employees }, "domicile": func() { use.Domicile = f.Domicile },
		"country": func() { use.Countries = f.Countries }, "field": func() { use.Fields = f.Fields },
		"accept-copyleft": func() { use.AcceptCopyleft = f.AcceptCopyleft }, "accept-branding": func() { use.AcceptBranding = f.AcceptBranding },
		"agreement": func() { use.Agreements = f.Agreements },
	} {
		if u.set.Changed(name) {
			copyTo()
		}
	}
}

// value is a flag whose absence means "nobody said".
type value struct {
	kind  string
	parse func(string) error
	text  string
}

func (v *value) String() string { return v.text }
func (v *value) Type() string   { return v.kind }
func (v *value) Set(s string) error {
	v.text = s
	return v.parse(s)
}

func word[T ~string](fl *pflag.FlagSet, to *T, name, help string) {
	fl.Var(&value{kind: "word", parse: func(s string) error { *to = T(s); return nil }}, name, help)
}

func words[T ~string](fl *pflag.FlagSet, to *[]T, name, help string) {
	fl.Var(&value{kind: "words", parse: func(s string) error {
		for w := range strings.SplitSeq(s, ",") {
			*to = append(*to, T(strings.TrimSpace(w)))
		}
		return nil
	}}, name, help)
}

func count(fl *pflag.FlagSet, to **units.Count, name, help string) {
	fl.Var(&value{kind: "count", parse: func(s string) error {
		c, err := units.ParseCount(s)
		*to = &c
		return err
	}}, name, help)
}

func money(fl *pflag.FlagSet, to **units.Money, name, help string) {
	fl.Var(&value{kind: "amount", parse: func(s string) error {
		m, err := units.ParseMoney(s)
		*to = &m
		return err
	}}, name, help)
}

var errNoAnswer = errors.New("want yes or no")

// answer is a yes or no. It wants the word: were the flag alone enough, "--modify no" would mean yes and a model "no".
func answer(fl *pflag.FlagSet, to **bool, name, help string) {
	fl.Var(&value{kind: "yes|no", parse: func(s string) error {
		switch strings.ToLower(s) {
		case "yes", "y", "true":
			*to = new(true)
		case "no", "n", "false":
			*to = new(false)
		default:
			return errNoAnswer
		}
		return nil
	}}, name, help)
}
