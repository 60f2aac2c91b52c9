import { Loading } from "../ui";

export function DoctorPage() {
	return <Loading />;
}
