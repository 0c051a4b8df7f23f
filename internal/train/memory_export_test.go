package train

// Filled is a complete job and plan, with what fits by this account.
func Filled(j Job, p Plan) (Job, Plan, error) {
	if j.InBackward && j.Global == 0 {
		j.Global, p.Micro = 2, 2 // no pass can be gathered
	}
	j, p, _, err := complete(j, p, Account)
	return j, p, err
}
