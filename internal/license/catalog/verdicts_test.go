package catalog

import (
	"slices"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/llmcheck/llmcheck/internal/license"
)

// The uses that the rows of TestVerdicts start from; a row overrides what differs.
const (
	inProduct = `{purpose: product, shipping: [hosted], modify: false, train_others: "no", fields: []}`
	inHouse   = `{purpose: internal, shipping: [none], modify: false, train_others: "no", fields: []}`
	forStudy  = `{purpose: research, shipping: [none], modify: false, train_others: "no", fields: []}`
	forTrial  = `{purpose: evaluate, shipping: [none], modify: false, train_others: "no", fields: []}`
	shipped   = `{purpose: product, shipping: [embedded], modify: false, train_others: "no", fields: []}`
)

// TestVerdicts is the regression test of the law: each row was derived from the text of the license, not from its
// record. The section is that of a reason with the outcome of the verdict.
func TestVerdicts(t *testing.T) {
	yes, no := new(true), new(false)
	for _, row := range []struct {
		id, base, use string
		multimodal    *bool
		want          license.Outcome
		section       string
		why           string // what the clause says, in our words
	}{
		// Llama: more than 700 million users in the month before release; what trains others; names; the EU.
		{"llama-2-community", inProduct, `{users_at_release: 700M}`, nil, license.Conditional, "1(b)(iv)", "exactly the limit is not more than it; the policy binds"},
		{"llama-2-community", inProduct, `{users_at_release: 700000001}`, nil, license.Prohibited, "2", "one user more takes all rights away"},
		{"llama-2-community", forTrial, `{users_at_release: 800M}`, nil, license.Prohibited, "2", "no right of any kind above the limit, trials included"},
		{"llama-2-community", inProduct, `{users_at_release: 5, train_others: any}`, nil, license.Prohibited, "1(b)(v)", "may improve no other language model"},
		{"llama-3-community", inProduct, `{users_at_release: 5, train_others: same-family}`, nil, license.Conditional, "1(b)(i)", "Llama 3 itself may be improved, under its name"},
		{"llama-3-community", inProduct, `{users_at_release: 5, train_others: any}`, nil, license.Prohibited, "1(b)(v)", "may improve no other language model"},
		{"llama-3.1-community", inProduct, `{users_at_release: 5, train_others: any}`, nil, license.Conditional, "1(b)(i)", "training others is foreseen, with the name in front"},
		{"llama-3.1-community", inProduct, `{}`, nil, license.Undetermined, "2", "users at release decide and were not said"},
		{"llama-3.1-community", inProduct, `{users_at_release: 5, accept_branding: false}`, nil, license.Prohibited, "1(b)(i)(B)", "a service that contains it must show the name"},
		{"llama-3.1-community", inHouse, `{users_at_release: 5, accept_branding: false}`, nil, license.Conditional, "1(b)(iv)", "nothing is made available, so no name is shown"},
		{"llama-3.1-community", inProduct, `{users_at_release: 5, fields: [medical-advice]}`, nil, license.Conditional, "1(b)(iv)", "only practice without a license is barred"},
		{"llama-3.1-community", inProduct, `{users_at_release: 5, fields: [military]}`, nil, license.Prohibited, "1(b)(iv)", "the policy bars military use"},
		{"llama-3.2-community", inProduct, `{users_at_release: 5, domicile: DE}`, yes, license.Prohibited, "Use Policy, paragraph after the list", "no multimodal rights for companies of the EU"},
		{"llama-3.2-community", inProduct, `{users_at_release: 5, domicile: DE}`, no, license.Conditional, "1(b)(iv)", "models of text only are free of that"},
		{"llama-3.2-community", inProduct, `{users_at_release: 5, domicile: DE}`, nil, license.Undetermined, "Use Policy, paragraph after the list", "the modality decides"},
		{"llama-4-community", inProduct, `{users_at_release: 5, domicile: US, countries: [DE]}`, yes, license.Conditional, "1(b)(iv)", "end users in the EU are not affected"},
		{"llama-1-research", inProduct, `{}`, nil, license.Prohibited, "2(a)", "no commercial or production purposes"},

		// Gemma and HAI-DEF: a hosted service counts as distribution.
		{"gemma-2024-02-21", inHouse, `{}`, nil, license.Conditional, "4.1", "first edition: newest version, with reasonable efforts"},
		{"gemma-2025-03-24", inProduct, `{}`, nil, license.Conditional, "3.1, point 1", "a hosted service passes the restrictions on"},
		{"gemma-2025-03-24", inProduct, `{fields: [adult-content]}`, nil, license.Prohibited, "3.2", "sexually explicit content is barred"},
		{"hai-def-2024-11-15", inProduct, `{}`, nil, license.Conditional, "3.2, point 2", "nothing that makes Google a device manufacturer"},

		// Qwen: more than 100 million users of the product, at any time.
		{"qwen-2024-09-19", inProduct, `{product_users: 100M}`, nil, license.Conditional, "7(d)", "exactly the limit is not more than it; indemnity"},
		{"qwen-2024-09-19", inProduct, `{product_users: 100000001}`, nil, license.Prohibited, "4", "one user more needs a license"},
		{"qwen-2024-09-19", inProduct, `{product_users: 5, modify: true, accept_branding: false}`, nil, license.Prohibited, "5(b)", "a tuned model that is made available shows Built with Qwen"},
		{"tongyi-qianwen-2023-08-03", inProduct, `{product_users: 5, train_others: any}`, nil, license.Prohibited, "5(b)", "may improve no other language model"},
		{"qwen-research-2024-09-19", inProduct, `{}`, nil, license.Prohibited, "2(b)", "commercial use needs a license"},
		{"qwen-research-2024-09-19", forTrial, `{modify: true}`, nil, license.Conditional, "6(d)", "evaluation is non-commercial, changes for it are granted; indemnity"},
		{"tongyi-qianwen-research-2023-11-30", inHouse, `{}`, nil, license.Prohibited, "2(a), 9(a)", "research or evaluation only"},

		// DeepSeek and the RAIL family.
		{"deepseek-1.0", inProduct, `{}`, nil, license.Conditional, "5, Attachment A", "any lawful use outside the list"},
		{"deepseek-1.0", inProduct, `{fields: [military]}`, nil, license.Prohibited, "5, Attachment A", "military use in any way"},
		{"deepseek-1.0", inProduct, `{train_others: any}`, nil, license.Conditional, "1", "a model distilled from it is a derivative"},
		{"creativeml-openrail-m", inProduct, `{fields: [medical-advice]}`, nil, license.Prohibited, "5, Attachment A", "medical advice is barred"},
		{"bigscience-bloom-rail-1.0", inProduct, `{fields: [law-enforcement]}`, nil, license.Prohibited, "5, Attachment A", "information for law enforcement is barred"},
		{"bigcode-openrail-m-1", inProduct, `{fields: [law-enforcement]}`, nil, license.Conditional, "4, Attachment A", "only fully automated decisions there are barred"},
		{"databricks-open-model", inProduct, `{users_at_release: 5, fields: [law-enforcement]}`, nil, license.Conditional, "2.3(1)", "only fully automated decisions there are barred"},

		// Mistral.
		{"mnpl-0.1", forTrial, `{modify: true}`, nil, license.Conditional, "5.2", "testing and evaluation outside production; indemnity"},
		{"mnpl-0.1", inHouse, `{}`, nil, license.Prohibited, "3.2, 9", "use by employees in business is production"},
		{"mrl-0.1", inProduct, `{}`, nil, license.Prohibited, "3.2, 9", "no link to commercial activities"},
		{"mrl-0.1", forStudy, `{shipping: [weights], organization: company}`, nil, license.Conditional, "9 (Research Purposes)", "distribution by a commercial entity is no research"},
		{"mistral-modified-mit-2026", inProduct, `{monthly_revenue: 20M USD}`, nil, license.Allowed, "2", "exactly the limit does not exceed it"},
		{"mistral-modified-mit-2026", inProduct, `{monthly_revenue: 20000001 USD}`, nil, license.Prohibited, "2", "above it there is no right of any kind"},
		{"mistral-modified-mit-2026", forTrial, `{monthly_revenue: 21M USD}`, nil, license.Prohibited, "2", "above it there is no right of any kind"},

		// Kimi and MiniMax: display above a size, model-as-a-service above another.
		{"kimi-k2-modified-mit", inProduct, `{product_users: 100M, monthly_revenue: 20M USD}`, nil, license.Allowed, "last paragraph", "neither limit is exceeded"},
		{"kimi-k2-modified-mit", inProduct, `{product_users: 100000001, accept_branding: false}`, nil, license.Prohibited, "last paragraph", "the name must be shown"},
		{"kimi-k3", inProduct, `{fields: [model-as-a-service], revenue: 20000001 USD, product_users: 5}`, nil, license.Prohibited, "2, 4(a)", "such a business needs an agreement first"},
		{"kimi-k3", inProduct, `{revenue: 19M USD, product_users: 5}`, nil, license.Allowed, "3, 4(a)", "below every limit"},
		{"kimi-k3", inHouse, `{revenue: 90M USD}`, nil, license.Conditional, "4(a)", "free as long as outputs reach no third party"},
		{"minimax-m2-modified-mit", inProduct, `{product_users: 5, product_revenue: 31M USD}`, nil, license.Conditional, "last paragraph", "above 30 million a year the name is shown"},
		{"minimax-m2.1-modified-mit", inProduct, `{}`, nil, license.Conditional, "last paragraph", "the name is shown whatever the size"},
		{"minimax-m2.7-nc", inProduct, `{}`, nil, license.Prohibited, "3, 4", "commercial use needs written authorization"},
		{"minimax-m2.7-nc", forStudy, `{shipping: [hosted]}`, nil, license.Conditional, "Appendix", "non-commercial hosting is free, within the list"},
		{"minimax-model-2025-01-15", inProduct, `{fields: [automated-decisions]}`, nil, license.Prohibited, "2(b)(iii), Prohibited Uses Policy 2, 4, 8", "automated decisions that hurt rights are barred"},

		// Hunyuan and openPangu: territories.
		{"hunyuan-large", inProduct, `{users_at_release: 5, countries: [FR]}`, nil, license.Prohibited, "preamble, 1(l), 2, 5(c), Exhibit A(1)", "the EU lies outside of the Territory"},
		{"hunyuan-large", inProduct, `{users_at_release: 5, countries: [GB]}`, nil, license.Conditional, "5(a), Exhibit A", "this edition leaves the United Kingdom in"},
		{"hunyuan-video", inProduct, `{users_at_release: 5, countries: [GB]}`, nil, license.Prohibited, "preamble, 1(l), 2, 5(c), Exhibit A(1)", "this one does not"},
		{"hunyuan-a13b", inProduct, `{users_at_release: 5, countries: [US], fields: [medical-advice]}`, nil, license.Conditional, "5(a), Exhibit A", "only practice without a license is barred, A(20)"},
		{"hunyuan-a13b", inProduct, `{users_at_release: 5, countries: [US], fields: [automated-decisions]}`, nil, license.Prohibited, "5(a), Exhibit A", "high-stakes automated decisions are barred, A(14)"},
		{"hunyuan-3d-2.0", inProduct, `{users_at_release: 1000001, countries: [US]}`, nil, license.Prohibited, "4", "more than one million users at release"},
		{"openpangu-1.0", inProduct, `{countries: [DE]}`, nil, license.Prohibited, "3", "no use in the EU, directly or indirectly"},
		{"openpangu-1.0", inProduct, `{countries: [US], accept_branding: false}`, nil, license.Prohibited, "4.2(1)", "services show Powered by openPangu"},

		// Others from China, Korea and the Emirates.
		{"falcon-3-2024-12", inProduct, `{modify: true}`, nil, license.Conditional, "6.1", "statements on a derivative name its origin"},
		{"yi-1.0", inProduct, `{}`, nil, license.Prohibited, "2, last paragraph", "written authorization first"},
		{"glm-4-9b", inProduct, `{}`, nil, license.Conditional, "2", "commercial use after registering"},
		{"chatglm-6b", inProduct, `{}`, nil, license.Undetermined, "2", "commercial use is neither granted nor barred"},
		{"cogvideox", inProduct, `{}`, nil, license.Prohibited, "2", "a basic commercial license must be obtained"},
		{"kolors-model", inProduct, `{monthly_users: 300000001}`, nil, license.Prohibited, "2(c)", "more than 300 million users need a license"},
		{"bilibili-model", inProduct, `{monthly_users: 5, revenue: 1000000001 CNY}`, nil, license.Prohibited, "2.2", "revenue above one billion yuan needs a license"},
		{"orion-14b-community", forStudy, `{shipping: [hosted]}`, nil, license.Conditional, "2(1), 2(2)", "hosting counts as distribution; non-commercial is free"},
		{"exaone-1.1-nc", forStudy, `{train_others: any}`, nil, license.Prohibited, "3.1", "no model, derivative or output may improve other models"},
		{"exaone-1.2-nc", forTrial, `{modify: true}`, nil, license.Conditional, "2.1(c)", "evaluation is research, changes for it are granted under the name"},
		{"k-exaone", inProduct, `{}`, nil, license.Prohibited, "2.1, 2.2", "making it available commercially needs an agreement"},
		{"k-exaone", inHouse, `{}`, nil, license.Conditional, "6.2", "commercial use inside is granted; indemnity"},
		{"hyperclovax-seed", inProduct, `{users_at_release: 10000001}`, nil, license.Prohibited, "4(i)", "more than ten million users at release"},
		{"hyperclovax-seed", inProduct, `{users_at_release: 5, fields: [competing-products]}`, nil, license.Prohibited, "2.3, 4(ii)", "competitors need a license"},
		{"hyperclovax-seed", inProduct, `{users_at_release: 5, fields: [surveillance]}`, nil, license.Conditional, "2.3", "only illegal surveillance is barred"},

		// Others from America.
		{"grok-2-community", inProduct, `{train_others: any}`, nil, license.Prohibited, "2(b)", "may train no general model, outputs included"},
		{"lfm-open-1.0", inProduct, `{revenue: 10M USD}`, nil, license.Prohibited, "1 (Threshold), 5(a), 5(b)", "ten million or more"},
		{"lfm-open-1.0", inProduct, `{revenue: 9999999 USD}`, nil, license.Allowed, "1 (Threshold), 5(a), 5(b)", "less than ten million"},
		{"lfm-open-1.0", forStudy, `{revenue: 900M USD}`, nil, license.Allowed, "2, 4, 5", "research is no commercial use"},
		{"nvidia-open-model-2025-04-28", inProduct, `{accept_branding: false}`, yes, license.Prohibited, "1 (NVIDIA Cosmos Model), 3 (second condition)", "services with a multimodal model show the name"},
		{"nvidia-open-model-2025-04-28", inProduct, `{accept_branding: false}`, no, license.Conditional, "2 (AI Ethics)", "other models do not"},
		{"stability-community-2024-07-05", inProduct, `{revenue: 1M USD}`, nil, license.Conditional, "III", "one million is not more; register"},
		{"stability-community-2024-07-05", inProduct, `{revenue: 1000001 USD}`, nil, license.Prohibited, "III", "more than one million ends all licenses"},
		{"stability-nc-2024-03-18", forStudy, `{shipping: [hosted]}`, nil, license.Prohibited, "1(b)", "no hosted service, whatever its purpose"},
		{"flux-1-dev-nc-1.1.1", forTrial, `{modify: true}`, nil, license.Conditional, "4(a), 4(f), 2(d)", "trials of companies outside production, derivatives included"},
		{"flux-1-dev-nc-1.1.1", inHouse, `{}`, nil, license.Prohibited, "1(c), 4(a)(i)", "no production use"},
		{"sam-license", inProduct, `{accept_copyleft: none}`, nil, license.Prohibited, "1(b)(i)", "made available under this agreement only"},
		{"apple-amlr", forTrial, `{}`, nil, license.Prohibited, "License Scope", "tests only to advance science"},
		{"microsoft-research", forStudy, `{shipping: [weights]}`, nil, license.Prohibited, "1(c), 2(e)", "models may not be distributed"},
		{"nexusraven-v2", inProduct, `{users_at_release: 50000001}`, nil, license.Prohibited, "2", "more than 50 million users at release"},
		{"playground-v2-community", inProduct, `{monthly_users: 1000001, fields: [image-generation]}`, nil, license.Prohibited, "2", "an image business above one million users"},
		{"playground-v2-community", inProduct, `{monthly_users: 1000001}`, nil, license.Conditional, "1(b)(iv), Attachment A", "other businesses are free of that"},
		{"livekit-model", inProduct, `{}`, nil, license.Conditional, "1, 3(b)(i)", "only together with LiveKit Agents"},
		{"cohere-cc-by-nc-4.0-addendum", inProduct, `{}`, nil, license.Prohibited, "CC 1(i), CC 2(a)(1)", "non-commercial purposes only"},

		// General licenses.
		{"gpl-3.0", inProduct, `{}`, nil, license.Allowed, "2", "running it for others conveys nothing"},
		{"gpl-3.0", shipped, `{}`, nil, license.Conditional, "5(c)", "what is conveyed stays under the license, as a whole"},
		{"gpl-3.0", shipped, `{accept_copyleft: library}`, nil, license.Prohibited, "5(c)", "which is more than the library itself"},
		{"agpl-3.0", inProduct, `{modify: true}`, nil, license.Conditional, "13", "users of a changed version get its source"},
		{"mpl-2.0", shipped, `{accept_copyleft: file}`, nil, license.Conditional, "1.10, 3.1", "covered files stay under the license"},
		{"sspl-1.0", inProduct, `{}`, nil, license.Conditional, "13", "source of all that runs the service"},
		{"elastic-2.0", inProduct, `{}`, nil, license.Prohibited, "Limitations", "no hosted service with its functions"},
		{"busl-1.1", inProduct, `{}`, nil, license.Undetermined, "Terms, paragraph 1", "production use as the licensor's own grant says"},
		{"busl-1.1", forTrial, `{}`, nil, license.Allowed, "Terms, paragraph 1", "non-production use is granted"},
		{"afl-3.0", inProduct, `{}`, nil, license.Conditional, "9 and 5", "recipients are asked for their assent, users over a network included"},
		{"ms-pl", shipped, `{}`, nil, license.Conditional, "3(D)", "source form stays under the license"},
		{"osl-3.0", inProduct, `{accept_copyleft: work}`, nil, license.Prohibited, "1(c) and 5", "use over a network counts as distribution"},
		{"odbl-1.0", inProduct, `{modify: true}`, nil, license.Conditional, "4.4(a), 4.4(c)", "a changed database that is used publicly stays under the license"},
		{"odc-by-1.0", inProduct, `{}`, nil, license.Allowed, "3.1", "nothing is conveyed"},
		{"cc-by-sa-4.0", shipped, `{accept_copyleft: none}`, nil, license.Allowed, "2(a)(1)", "material shared as it was got brings no share-alike"},
		{"cc-by-sa-4.0", shipped, `{modify: true}`, nil, license.Conditional, "3(b)", "adapted material that is shared does"},
		{"cc-by-nc-4.0", inProduct, `{}`, nil, license.Prohibited, "2(a)(1)", "noncommercial purposes only"},
		{"cc-by-nc-4.0", inHouse, `{}`, nil, license.Undetermined, "1 (NonCommercial)", "whether use inside aims at advantage is open"},
		{"cc-by-nc-4.0", forTrial, `{}`, nil, license.Undetermined, "1 (NonCommercial), 2(a)(1)", "the aim of the trial decides"},
		{"cc-by-nc-4.0", forTrial, `{commercial: false}`, nil, license.Allowed, "1 (NonCommercial), 2(a)(1)", "without commercial aim it is granted"},
		{"cc-by-nd-4.0", shipped, `{modify: true}`, nil, license.Prohibited, "2(a)(1)(B)", "adapted material may not be shared"},
	} {
		t.Run(row.id+": "+row.why, func(t *testing.T) {
			v := verdict(t, row.id, row.multimodal, row.base, row.use)
			if v.Outcome != row.want {
				t.Errorf("%s, want %s: %+v", v.Outcome, row.want, v.Reasons)
			}
			decides := func(r license.Reason) bool { return r.Outcome == row.want && r.Clause.Section == row.section }
			if !slices.ContainsFunc(v.Reasons, decides) {
				t.Errorf("no reason is %s by section %s: %+v", row.want, row.section, v.Reasons)
			}
		})
	}
}

// TestPermissive holds that licenses with no condition but text files are allowed for every way of using a model. The
// list is written by hand, since the class in a record is not what is tested.
func TestPermissive(t *testing.T) {
	for _, id := range []string{
		"0bsd", "apache-2.0", "aml", "apple-ml-ferret", "bsd-2-clause", "bsd-3-clause", "bsd-3-clause-clear", "bsl-1.0",
		"cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc0-1.0", "cdla-permissive-1.0", "cdla-permissive-2.0", "ecl-2.0",
		"isc", "mit", "mit-0", "mulanpsl-2.0", "ncsa", "openmdw-1.0", "openmdw-1.1", "pddl-1.0", "postgresql", "unlicense",
		"upl-1.0", "wtfpl-2.0", "zlib",
	} {
		for _, ship := range []string{"hosted", "embedded", "on-device", "weights", "none"} {
			v := verdict(t, id, new(true), inProduct,
				`{shipping: [`+ship+`], modify: true, train_others: any, accept_branding: false, accept_copyleft: none}`)
			if v.Outcome != license.Allowed {
				t.Errorf("%s, %s: %s: %+v", id, ship, v.Outcome, v.Reasons)
			}
		}
	}
}

// TestNamesOfModifiedMIT holds that a name which several publishers give to different texts decides nothing by itself.
func TestNamesOfModifiedMIT(t *testing.T) {
	ids := Default().Resolve("modified-mit")
	if len(ids) < 7 {
		t.Errorf("modified-mit resolves to %q only", ids)
	}
	var vs []license.Verdict
	for _, id := range ids {
		vs = append(vs, verdict(t, id, nil, inProduct, `{monthly_users: 5, monthly_revenue: 5 USD}`))
	}
	if v := license.Alternatives("modified-mit", vs...); v.Outcome != license.Undetermined {
		t.Errorf("modified-mit: %s, want undetermined", v.Outcome)
	}
}

// verdict judges a use under a record. Later uses override what they name of earlier ones.
func verdict(t *testing.T, id string, multimodal *bool, uses ...string) license.Verdict {
	t.Helper()
	terms, err := Default().Get(id)
	if err != nil {
		t.Fatal(err)
	}
	var u license.Use
	for _, s := range uses {
		if err := yaml.Unmarshal([]byte(s), &u); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if err := u.Validate(); err != nil {
		t.Fatalf("%q: %v", uses, err)
	}
	return license.Assess(terms, u, license.Traits{Multimodal: multimodal})
}
