package train

// Filled is a complete job and plan, with what fits by this account.
func Filled(j Job, p Plan) (Job, Plan, error) {
	j, p, _, err := complete(j, p, Account)
	return j, p, err
}
