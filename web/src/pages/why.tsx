import { Loading } from "../ui";

export function WhyPage() {
	return <Loading />;
}
