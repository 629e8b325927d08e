// Keeps the name that a person typed in a cookie of this browser, so that the next visit begins with it.
export default function ({ data }) {
  const year = 365 * 86_400;
  const life = data.value ? year : 0;
  document.cookie = `${data.cookie}=${data.value}; Path=/; Max-Age=${life}; SameSite=Strict`;
}
