package license

import "strings"

// Input names an input of Use that a clause needs, as the flag and the key of use.yaml spell it.
type Input string

// Question is an input that decides and that nobody gave.
type Question struct {
	Input Input
	Text  string
}

// The inputs that clauses may ask for.
const (
	askPurpose        Input = "purpose"
	askShipping       Input = "shipping"
	askCommercial     Input = "commercial"
	askOrganization   Input = "organization"
	askModify         Input = "modify"
	askTrainOthers    Input = "train_others"
	askMonthlyUsers   Input = "monthly_users"
	askUsersAtRelease Input = "users_at_release"
	askProductUsers   Input = "product_users"
	askMonthlyVisits  Input = "monthly_visits"
	askRevenue        Input = "revenue"
	askMonthlyRevenue Input = "monthly_revenue"
	askProductRevenue Input = "product_revenue"
	askProductMonthly Input = "product_monthly_revenue"
	askFunding        Input = "funding"
	askEmployees      Input = "employees"
	askDomicile       Input = "domicile"
	askCountries      Input = "countries"
	askFields         Input = "fields"
	askModality       Input = "multimodal"
)

var questions = map[Input]string{
	askPurpose:        "What is the model wanted for: evaluate, research, internal or product?",
	askShipping:       "How does it reach users: hosted, embedded, on-device, weights or none?",
	askCommercial:     "Is the use commercial?",
	askOrganization:   "What kind of organization are you: company, nonprofit, academic, government or individual?",
	askModify:         "Will the model be modified: fine-tuned, merged, quantized or pruned?",
	askTrainOthers:    "Will outputs train other models: no, same-family or any?",
	askMonthlyUsers:   "How many monthly users have all your products together, affiliates included?",
	askUsersAtRelease: "How many monthly users had all your products, affiliates included, in the month before the model's release?",
	askProductUsers:   "How many monthly users has the product with the model?",
	askMonthlyVisits:  "How many visits a month has the product with the model?",
	askRevenue:        "What was the revenue of the last twelve months, affiliates included?",
	askMonthlyRevenue: "What was the revenue of the best month, affiliates included?",
	askProductRevenue: "What was the revenue of the product with the model over twelve months?",
	askProductMonthly: "What was the revenue of the product with the model in its best month?",
	askFunding:        "How much funding was raised?",
	askEmployees:      "How many employees are there?",
	askDomicile:       "In which country is the principal place of business?",
	askCountries:      "In which countries is the product used or offered?",
	askFields:         "Which fields of use does the product touch? (none, if none of the listed)",
	askModality:       "Does the model take or make images, audio or video?",
}

// question asks for an input. A sum of money is asked for in the currency of the clause, since none is ever converted.
func (i Input) question(currency string) Question {
	text := questions[i]
	if currency != "" {
		text = strings.TrimSuffix(text, "?") + ", in " + currency + "?"
	}
	return Question{i, text}
}

// Flag is the flag of the command line that answers the input.
func (i Input) Flag() string {
	switch i {
	case askShipping:
		return "--ship"
	case askCountries:
		return "--country"
	case askFields:
		return "--field"
	}
	return "--" + strings.ReplaceAll(string(i), "_", "-")
}
