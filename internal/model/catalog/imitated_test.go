package catalog

import "testing"

func TestImitated(t *testing.T) {
	known := []string{"01-ai", "Qwen", "deepseek-ai", "google", "meta-llama", "microsoft", "mistralai", "openai", "xai-org", "RWKV", "ibm"}
	for _, row := range []struct {
		name, org, of string
		how           Likeness
	}{
		{"known", "mistralai", "", ""},
		{"known in other case", "MistralAI", "", ""},
		{"unrelated", "acme", "", ""},
		{"empty", "", "", ""},
		{"capital I for small l", "meta-IIama", "meta-llama", SameShape},
		{"digit 1 for l", "meta-11ama", "meta-llama", SameShape},
		{"zero for o", "micr0s0ft", "microsoft", SameShape},
		{"five for s", "mi5tralai", "mistralai", SameShape},
		{"dash left out", "metallama", "meta-llama", SameShape},
		{"underscore for dash", "deepseek_ai", "deepseek-ai", SameShape},
		{"vv for w", "Qvven", "Qwen", SameShape},
		{"Cyrillic o", "g\u043Eogle", "google", SameShape},
		{"Cyrillic a and e", "\u0430cm\u0435", "", ""},
		{"all Cyrillic look-alikes", "\u043Eрen\u0430i", "openai", SameShape},
		{"Greek omicron", "\u03BFpenai", "openai", SameShape},
		{"full width", "ｇｏｏｇｌｅ", "google", SameShape},
		{"accent", "göogle", "google", SameShape},
		{"dotless i", "m\u0131crosoft", "microsoft", SameShape},
		{"letter left out", "mistrali", "mistralai", OneEdit},
		{"letter added", "googgle", "google", OneEdit},
		{"letter changed", "openaj", "openai", OneEdit},
		{"letters swapped", "opneai", "openai", OneEdit},
		{"two letters changed", "obenaj", "", ""},
		{"other first letter", "Owen", "Qwen", OneEdit},
		{"short names are near to many", "ibn", "", ""},
		{"suffix of a word", "meta-llama-official", "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			of, how, ok := Imitated(row.org, known)
			if of != row.of || how != row.how || ok != (row.of != "") {
				t.Errorf("Imitated(%q) = %q, %q, %v, want %q, %q", row.org, of, how, ok, row.of, row.how)
			}
		})
	}
}

// neighbors are known organizations whose names happen to be near to each other.
var neighbors = map[string]string{
	"HuggingFaceH4": "HuggingFaceM4", "HuggingFaceM4": "HuggingFaceH4", "xai-org": "zai-org", "zai-org": "xai-org",
}

// TestKnownDoNotImitate holds that no other two known organizations are taken for each other.
func TestKnownDoNotImitate(t *testing.T) {
	orgs, err := Default().Organizations()
	if err != nil {
		t.Fatal(err)
	}
	for i, org := range orgs {
		others := append(append([]string(nil), orgs[:i]...), orgs[i+1:]...)
		if of, how, ok := Imitated(org, others); ok && neighbors[org] != of {
			t.Errorf("%s could be taken for %s (%s)", org, of, how)
		}
	}
}

func FuzzImitated(f *testing.F) {
	for _, s := range []string{"mistralai", "meta-IIama", "g\u043Eogle", "\xff", "", "a/b"} {
		f.Add(s, "meta-llama")
	}
	f.Fuzz(func(t *testing.T, org, known string) {
		of, how, ok := Imitated(org, []string{known})
		if ok != (how != "") || ok != (of == known && how != "") {
			t.Errorf("Imitated(%q, %q) = %q, %q", org, known, of, how)
		}
		if _, _, self := Imitated(org, []string{org}); self && ascii(org) {
			t.Errorf("%q imitates itself", org)
		}
	})
}

func BenchmarkImitated(b *testing.B) {
	orgs, err := Default().Organizations()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		Imitated("acme", orgs)
	}
}
