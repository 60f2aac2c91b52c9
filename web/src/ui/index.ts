export * from "./action";
export * from "./basics";
export * from "./copy";
export * from "./dialog";
export * from "./fields";
export * from "./table";
export * from "./tabs";
export * from "./time";
