/** What the kiosk sells. Prices are in cents. */
export const catalogue = {
  apple: { name: "Apple", cents: 60 },
  bread: { name: "Bread", cents: 320 },
  cheese: { name: "Cheese", cents: 745 },
  coffee: { name: "Coffee", cents: 899 },
  jam: { name: "Jam", cents: 388 },
};
