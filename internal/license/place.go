package license

import (
	"slices"
	"strings"
)

// Worldwide among the countries of a Use stands for every country.
const Worldwide = "WORLD"

// countries are the codes of ISO 3166-1 alpha-2 that are officially assigned.
const countries = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ " +
	"CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR " +
	"GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP " +
	"KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV " +
	"MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW " +
	"SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ " +
	"UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW"

// isCountry knows the codes that are assigned: one that is not, such as UK, lies in no territory and would pass every
// bar.
func isCountry(code string) bool {
	return len(code) == 2 && slices.Contains(strings.Fields(countries), code)
}

// countryCode brings what people write to the code of the standard: the European Union itself writes EL and UK.
func countryCode(s string) string {
	switch code := strings.ToUpper(strings.TrimSpace(s)); code {
	case "UK":
		return "GB"
	case "EL":
		return "GR"
	case "WORLDWIDE":
		return Worldwide
	default:
		return code
	}
}

// Members of the European Union since 2020-02-01, and of the European Economic Area beside it: Treaty on European Union
// as amended, Agreement on the European Economic Area.
var (
	eu = []string{
		"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV", "MT",
		"NL", "PL", "PT", "RO", "SE", "SI", "SK",
	}
	eeaOnly = []string{"IS", "LI", "NO"}
)

// within tells whether any of the places lies in the excluded territory.
func within(places, excluded []string) tri {
	if places == nil {
		return unknown
	}
	out := expand(excluded)
	for _, p := range expand(places) {
		if p == Worldwide || slices.Contains(out, p) {
			return yes
		}
	}
	return no
}

func expand(places []string) []string {
	var out []string
	for _, p := range places {
		switch p {
		case "EU":
			out = append(out, eu...)
		case "EEA":
			out = append(append(out, eu...), eeaOnly...)
		default:
			out = append(out, p)
		}
	}
	return out
}
