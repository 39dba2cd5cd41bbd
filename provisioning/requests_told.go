package provisioning

import "gatehouse/store"

// admins are the owners and admins of an organization.
func (p *Provisioner) admins(tx store.Tx, organization string) (ids []string, err error) {
	for _, role := range []string{store.RoleOwner, store.RoleAdmin} {
		for m, err := range p.store.Memberships.AllByIndex(tx, "organization_role", store.OrganizationRole(organization, role)) {
			if err != nil {
				return nil, err
			}
			ids = append(ids, m.UserID)
		}
	}
	return ids, nil
}
