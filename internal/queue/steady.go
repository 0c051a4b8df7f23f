package queue

func Steady(s Server, l Load) Result {
	if err := Check(s, l); err != nil {
		return saturated(err.Error())
	}
	return Result{}
}
