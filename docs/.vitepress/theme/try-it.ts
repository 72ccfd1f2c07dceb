import { useData, withBase } from "vitepress";
import { defineComponent, h, onMounted, ref, watch } from "vue";

/** The page Try it in a frame of its height, in the colours of the site. */
export const TryIt = defineComponent(() => {
  const { isDark } = useData();
  const frame = ref<HTMLIFrameElement>();
  const height = ref<number>();
  onMounted(() => {
    // The frame reads this at its start and follows its changes (web/src/theme.ts).
    watch(isDark, (dark) => localStorage.setItem("bh-bridge-theme", dark ? "dark" : "light"), { immediate: true });
    if (frame.value?.contentDocument?.readyState === "complete") follow();
  });

  function follow(): void {
    const page = frame.value?.contentDocument?.body; // null below file:, where every file is an origin of its own
    if (page) new ResizeObserver(() => (height.value = page.scrollHeight)).observe(page);
  }

  return () =>
    h("iframe", {
      ref: frame,
      class: "try-it",
      title: "Train a small model in this browser",
      src: withBase("/try-it.html"),
      loading: "lazy",
      style: height.value === undefined ? {} : { height: `${height.value}px` },
      onLoad: follow,
    });
});
